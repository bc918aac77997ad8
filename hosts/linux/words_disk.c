/* The disks that the words name: the first one is the configuration's, the others stand behind it.
 *
 * dracut and open-iscsi attach all LUNs of a target, and root= finds the right one. So a disk
 * without a LUN is the only one of its target, or the one that holds what root= names by UUID or
 * label. Where root= says it otherwise, it is the first: the kernel attaches the others, too. */
#include "core/crypto/crypto.h"
#include "core/disk/disk_root.h"
#include "core/names/rootpath.h"
#include "hosts/linux/words_parts.h"
#include <string.h>

#define LUN_MAX 16383 /* of a single level: SAM-5 4.7 */

struct disk {
    const struct lb_words_word *word;
    struct lb_bytes server, port, lun, target, netdev; /* lun as in a Root Path; empty: none */
    struct lb_bytes account[4]; /* user, secret, the target's user and secret */
    bool has_account;
};

struct disks {
    struct disk disk[LB_WORDS_MAX];
    char disk_lun[LB_WORDS_MAX + 1][24]; /* where the word has it in decimal; one too many */
    size_t count;
    char lun[24]; /* of rd.iscsi.target.lun and the like */
};

/* As udev writes a LUN: decimal, or all of its bytes. */
static bool read_lun(struct lb_bytes text, char *lun, size_t cap) {
    uint64_t number;
    struct lb_text out = lb_text(lun, cap);
    if (lb_words_start_with(text, "0x") && text.len == 18) {
        struct lb_bytes digits = lb_bytes_after(text, 2);
        for (size_t i = 0; i < 4; i++)
            lb_text_add(&out, "%s%.*s", i > 0 ? "-" : "", 4, (const char *)digits.p + 4 * i);
        return lb_parse_hex_u64(digits, &number);
    }
    if (!lb_parse_u64(text, LUN_MAX, &number))
        return false;
    lb_text_add(&out, "%x", (unsigned)number);
    return true;
}

/* ---- one disk -------------------------------------------------------------------------------- */

static bool begins_name(struct lb_bytes text) {
    static const char *const starts[] = {"iqn.", "eui.", "naa."};
    for (size_t i = 0; i < LB_COUNT(starts); i++) {
        bool is = text.len > 4;
        for (size_t j = 0; is && j < 4; j++)
            is = lb_ascii_lower(text.p[j]) == (uint8_t)starts[i][j];
        if (is)
            return true;
    }
    return false;
}

/* The colon before the target's name; text.len: it is of no known form. */
static size_t find_name(struct lb_bytes text) {
    size_t at = 0;
    while (at < text.len && !(text.p[at] == ':' && begins_name(lb_bytes_after(text, at + 1))))
        at++;
    return at;
}

/* The last @ before the target's name: a secret may have others, and so may a name. */
static size_t find_at(struct lb_bytes text) {
    size_t end = find_name(text), found = text.len;
    for (size_t i = 0; i < end; i++)
        found = text.p[i] == '@' ? i : found;
    return found;
}

/* By all colons; the last field has what is left. */
static size_t split_all(struct lb_bytes text, struct lb_bytes *out, size_t cap) {
    size_t count = 0, start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && (text.p[i] != ':' || count + 1 == cap))
            continue;
        out[count] = lb_bytes_after(text, start);
        out[count++].len = i - start;
        start = i + 1;
    }
    return count;
}

/* USER:SECRET, or USER:SECRET:TARGETUSER:TARGETSECRET, or nothing: then there is none. */
static bool take_account(struct disk *disk, struct lb_bytes text) {
    struct lb_bytes part[5] = {{0}};
    size_t count = split_all(text, part, LB_COUNT(part)), filled = 0;
    for (size_t i = 0; i < count; i++)
        filled += part[i].len > 0;
    if (filled == 0)
        return true;
    if ((count != 2 && count != 4) || filled != count)
        return false;
    memcpy(disk->account, part, sizeof(disk->account));
    disk->has_account = true;
    return true;
}

static bool is_decimal(struct lb_bytes text) {
    uint64_t number;
    return lb_parse_u64(text, UINT16_MAX, &number);
}

static bool is_tcp(struct lb_bytes protocol) {
    return protocol.len == 0 || lb_text_is(protocol, "6") || lb_text_is(protocol, "tcp");
}

/* PROTOCOL:PORT[:[[IFACE]:NETDEV]:LUN], before a name of a known form. */
static bool take_middle(struct disk *disk, struct lb_bytes text) {
    struct lb_bytes part[6] = {{0}};
    size_t count = split_all(text, part, LB_COUNT(part));
    if (count < 2 || count > 5 || (count == 2 && !is_tcp(part[0])))
        return false;
    disk->port = part[1];
    disk->lun = count > 2 ? part[count - 1] : lb_bytes("", 0);
    disk->netdev = count > 3 ? part[count - 2] : lb_bytes("", 0);
    return true;
}

/* The same with the name behind it, which is of no known form and may have colons. */
static bool take_by_position(struct disk *disk, struct lb_bytes text) {
    struct lb_bytes part[6] = {{0}};
    size_t count = split_all(text, part, LB_COUNT(part));
    bool has_iface =
        count == 6 && part[2].len + part[3].len > 0 && (part[4].len == 0 || is_decimal(part[4]));
    if (!has_iface && split_all(text, part, 4) != 4)
        return false;
    disk->port = part[1];
    disk->netdev = has_iface ? part[3] : lb_bytes("", 0);
    disk->lun = part[has_iface ? 4 : 2];
    disk->target = part[has_iface ? 5 : 3];
    return disk->target.len > 0;
}

/* A LUN as a Root Path has it, and no decimal number: dracut knows it as little as we do, and it is
 * told by its name. */
static bool has_letters(const struct disk *disk) {
    uint8_t lun[8];
    size_t offset;
    return disk->lun.len <= 4 && lb_lun_parse(disk->lun, lun, &offset); /* longer: a secret? */
}

/* SERVER:PROTOCOL:PORT[:[[IFACE]:NETDEV]:LUN]:TARGET, each but the target perhaps empty. */
static bool take_place(struct disk *disk, struct lb_bytes text) {
    struct lb_bytes part[2] = {{0}};
    enum lb_host_kind kind;
    struct lb_addr addr;
    char name[LB_HOST_MAX + 1];
    char lun[24];
    size_t offset, at;
    if (lb_words_fields(text, part, 2) != 2)
        return false;
    disk->server = lb_words_without_brackets(part[0]);
    at = find_name(part[1]);
    if (begins_name(part[1]) || !(at < part[1].len ? take_middle(disk, lb_bytes(part[1].p, at))
                                                   : take_by_position(disk, part[1])))
        return false;
    if (at < part[1].len)
        disk->target = lb_bytes_after(part[1], at + 1);
    return (disk->lun.len == 0 || read_lun(disk->lun, lun, sizeof(lun)) || has_letters(disk)) &&
           (disk->port.len == 0 || is_decimal(disk->port)) &&
           lb_host_parse(disk->server, true, &kind, &addr, name, &offset);
}

/* Nothing of it is shown, unless it begins with an address or a target's name: who forgot the @
 * wrote a secret. */
static bool may_be_shown(struct lb_bytes text) {
    struct lb_addr addr;
    struct lb_bytes part[2] = {{0}};
    lb_words_fields(text, part, 2);
    struct lb_bytes first = lb_words_without_brackets(part[0]);
    return first.len == 0 || begins_name(text) || lb_words_start_with(text, "//") ||
           lb_addr_parse(first, &addr);
}

/* As a Root Path it has the same mistakes, but for the LUN, which is decimal here. False: none. */
static bool explain_place(struct lb_words_run *run, const struct lb_words_word *word) {
    struct lb_rootpath rootpath;
    struct lb_rootpath_where where;
    struct lb_error error = {.code = LB_OK};
    char room[LB_ROOTPATH_MAX + 1];
    struct lb_text text = lb_text(room, sizeof(room));
    lb_text_add(&text, "iscsi:%.*s", (int)word->value.len, (const char *)word->value.p);
    if (text.cut || lb_rootpath_parse(lb_bytes(room, text.len), LB_ROOTPATH_ANY_NAMES, &rootpath,
                                      &where, &error))
        return false;
    char *excerpt = strstr(error.facts, ", in `");
    if (excerpt && !may_be_shown(word->value))
        *excerpt = '\0';
    lb_wipe(room, sizeof(room));
    bool is_lun = error.code == LB_E_ROOTPATH_LUN;
    if (!is_lun && error.code != LB_E_ROOTPATH_FIELDS && error.code != LB_E_ROOTPATH_SERVER)
        return false; /* who forgot an @ has fields that are none of these */
    lb_fail(run->error, is_lun ? LB_E_CONFIG_VALUE : error.code,
            "%s=iscsi: on the kernel command line: %s", word->name,
            is_lun ? "its LUN is no decimal number" : error.facts);
    return true;
}

static bool wrong_place(struct lb_words_run *run, const struct lb_words_word *word) {
    if (!explain_place(run, word))
        lb_words_wrong(run, word, may_be_shown(word->value) ? word->value : lb_bytes_of_text("@"),
                       "is no SERVER:PROTOCOL:PORT:LUN:TARGET");
    return false;
}

/* With a name and a secret before an @, an error shows nothing. */
static bool take_disk(struct lb_words_run *run, const struct lb_words_word *word,
                      struct disk *disk) {
    struct lb_bytes text = word->value;
    size_t at = find_at(text);
    *disk = (struct disk){.word = word};
    if (at == text.len)
        return take_place(disk, text) || wrong_place(run, word);
    if (!take_account(disk, lb_bytes(text.p, at))) {
        lb_fail(run->error, LB_E_CONFIG_HALF,
                "%s=iscsi: on the kernel command line: before the @ stands neither USER:SECRET "
                "nor USER:SECRET:TARGETUSER:TARGETSECRET",
                word->name);
        return false;
    }
    if (take_place(disk, lb_bytes_after(text, at + 1)))
        return true;
    lb_fail(run->error, LB_E_CONFIG_VALUE,
            "%s=iscsi: on the kernel command line: behind the @ stands no "
            "SERVER:PROTOCOL:PORT:LUN:TARGET (not shown: it may hold a secret)",
            word->name);
    return false;
}

/* ---- all disks ------------------------------------------------------------------------------- */

static const struct lb_words_word *one(const struct lb_words_run *run, enum lb_words_id id) {
    return &run->words->one[id];
}

static bool are_same_name(struct lb_bytes a, struct lb_bytes b) {
    bool same = a.len == b.len;
    for (size_t i = 0; same && i < a.len; i++)
        same = lb_ascii_lower(a.p[i]) == lb_ascii_lower(b.p[i]);
    return same;
}

/* dracut looks for the number in udev's path, which has it in decimal; RFC 4173's Root Path has it
 * in hexadecimal, and people bring lines from there. False: it is an error. */
static bool convert_lun(struct lb_words_run *run, struct disks *disks, struct disk *disk) {
    char *lun = disks->disk_lun[disks->count];
    int len = (int)disk->lun.len;
    const char *text = (const char *)disk->lun.p;
    if (!read_lun(disk->lun, lun, sizeof(disks->disk_lun[0]))) {
        lb_fail(
            run->error, LB_E_CONFIG_VALUE,
            "%s=iscsi: on the kernel command line: its LUN `%.*s` is no decimal number, as dracut "
            "has it; `%.*s` of a Root Path is hexadecimal: write it in decimal here",
            disk->word->name, len, text, len, text);
        return false;
    }
    if (!lb_bytes_equal(disk->lun, lb_bytes_of_text(lun)) && len <= 5)
        lb_words_note(
            run->words,
            "the LUN %.*s of %s=iscsi: is decimal, as dracut has it; a Root Path has it as "
            "`%s`",
            len, text, disk->word->name, lun);
    disk->lun = lb_bytes_of_text(lun);
    return true;
}

static void add_disk(struct lb_words_run *run, struct disks *disks, const struct disk *disk) {
    if (disks->count < LB_WORDS_MAX)
        disks->disk[disks->count++] = *disk;
    else
        lb_words_note(run->words, "more than %d disks are named; the others are passed over",
                      LB_WORDS_MAX);
}

/* `,1` behind a portal, as iscsiadm prints it: the tag of its portal group. */
static void skip_group_tag(struct lb_bytes *rest) {
    size_t len = 0;
    if (rest->len < 2 || rest->p[0] != ',')
        return;
    struct lb_bytes tag = lb_bytes_after(*rest, 1);
    while (len < tag.len && tag.p[len] >= '0' && tag.p[len] <= '9')
        len++;
    if (len > 0 && (len == tag.len || tag.p[len] == ' ' || tag.p[len] == ','))
        *rest = lb_bytes_after(tag, len);
}

/* Of a list with blanks or commas. */
static bool next_server(struct lb_bytes *rest, struct lb_bytes *server) {
    size_t len = 0;
    while (rest->len > 0 && (rest->p[0] == ' ' || rest->p[0] == ',' || rest->p[0] == '\t'))
        *rest = lb_bytes_after(*rest, 1);
    while (len < rest->len && rest->p[len] != ' ' && rest->p[len] != ',' && rest->p[len] != '\t')
        len++;
    *server = lb_words_without_brackets(lb_bytes(rest->p, len));
    *rest = lb_bytes_after(*rest, len);
    skip_group_tag(rest);
    return len > 0;
}

/* ADDRESS:PORT, as portals are written elsewhere. */
static void take_port(struct disk *disk, struct lb_bytes port) {
    struct lb_host_port portal;
    size_t colon = disk->server.len;
    disk->port = port;
    if (!lb_host_port_parse(disk->server, &portal) || portal.at.port == 0)
        return;
    while (disk->server.p[--colon] != ':')
        ;
    disk->port = lb_bytes_after(disk->server, colon + 1);
    disk->server = lb_words_without_brackets(lb_bytes(disk->server.p, colon));
}

/* rd.iscsi.target.name= and its like: a disk for each address. */
static void add_named(struct lb_words_run *run, struct disks *disks) {
    struct lb_bytes rest = one(run, LB_WORDS_ONE_SERVERS)->value;
    struct disk disk = {.word = one(run, LB_WORDS_ONE_TARGET),
                        .target = one(run, LB_WORDS_ONE_TARGET)->value,
                        .port = one(run, LB_WORDS_ONE_PORT)->value,
                        .lun = lb_bytes_of_text(disks->lun)};
    size_t before = disks->count;
    if (disk.word->source == LB_SOURCE_OPEN_ISCSI && before > 0)
        return; /* a disk of the command line takes the place of the file's */
    while (disk.target.len > 0 && next_server(&rest, &disk.server)) {
        take_port(&disk, one(run, LB_WORDS_ONE_PORT)->value);
        add_disk(run, disks, &disk);
    }
    if (disks->count == before && disk.target.len > 0)
        add_disk(run, disks, &disk);
}

static size_t find(struct lb_bytes text, const char *word, size_t from) {
    while (from < text.len && !lb_words_start_with(lb_bytes_after(text, from), word))
        from++;
    return from;
}

/* Of root=/dev/disk/by-path/...-iscsi-TARGET-lun-N[-partN]: false: it is no such path. */
static bool read_by_path(struct lb_bytes root, struct lb_bytes *target, char *lun, size_t cap) {
    size_t name = find(root, "-iscsi-", 0) + 7, at = root.len, number, end;
    if (!lb_words_start_with(root, "/dev/disk/by-path/") || name >= root.len)
        return false;
    for (size_t i = find(root, "-lun-", name); i < root.len; i = find(root, "-lun-", i + 1))
        at = i;
    if (at == root.len)
        return false;
    *target = lb_bytes(root.p + name, at - name);
    number = at + 5;
    end = find(root, "-part", number);
    return read_lun(lb_bytes(root.p + number, end - number), lun, cap);
}

/* root= says which LUN it is, whatever the other words say: it is what will be mounted. */
static void take_luns_of_root(struct lb_words_run *run, struct disks *disks, char *lun,
                              size_t cap) {
    struct lb_bytes target;
    if (!read_by_path(one(run, LB_WORDS_ONE_ROOT)->value, &target, lun, cap))
        return;
    for (size_t i = 0; i < disks->count; i++) {
        if (are_same_name(disks->disk[i].target, target))
            disks->disk[i].lun = lb_bytes_of_text(lun);
    }
}

/* ---- accounts -------------------------------------------------------------------------------- */

/* The words for an account: a name without its secret is an error, as is a secret without its name;
 * both of them empty is none. */
static bool has_pair(struct lb_words_run *run, enum lb_words_id user, enum lb_words_id secret) {
    const struct lb_words_word *words[] = {one(run, user), one(run, secret)};
    bool is_empty =
        words[0]->name && words[1]->name && words[0]->value.len == 0 && words[1]->value.len == 0;
    for (size_t i = 0; i < 2; i++) {
        if (words[i]->name && words[i]->value.len == 0 && !is_empty)
            lb_fail(run->error, LB_E_CONFIG_HALF, "rd.iscsi.%s= %s", words[i]->name,
                    words[i]->source == LB_SOURCE_KERNEL ? "on the kernel command line"
                                                         : "in open-iscsi's configuration");
    }
    return words[0]->value.len > 0 || words[1]->value.len > 0;
}

static const char *const account_keys[4] = {"chap-name", "chap-secret", "chap-target-name",
                                            "chap-target-secret"};

static void set_account(struct lb_words_run *run, const struct disk *first) {
    static const enum lb_words_id ids[4] = {LB_WORDS_ONE_USER, LB_WORDS_ONE_SECRET,
                                            LB_WORDS_ONE_TARGET_USER, LB_WORDS_ONE_TARGET_SECRET};
    bool has_target = has_pair(run, LB_WORDS_ONE_TARGET_USER, LB_WORDS_ONE_TARGET_SECRET);
    bool has_words = has_pair(run, LB_WORDS_ONE_USER, LB_WORDS_ONE_SECRET) || has_target;
    for (size_t i = 0; has_words && i < LB_COUNT(ids); i++)
        lb_words_set(run, one(run, ids[i])->source, account_keys[i], one(run, ids[i])->value);
    for (size_t i = 0; first && first->has_account && i < LB_COUNT(account_keys); i++)
        lb_words_set(run, first->word->source, account_keys[i], first->account[i]);
}

/* There is one account for all of them. */
static bool has_same_account(const struct disk *a, const struct disk *b) {
    for (size_t i = 0; b->has_account && i < LB_COUNT(account_keys); i++) {
        if (!lb_bytes_equal(a->account[i], b->account[i]))
            return false;
    }
    return true;
}

/* ---- as configuration ------------------------------------------------------------------------ */

/* Where root= names a file system, it is found on whichever LUN. */
static const char *lun_word(const struct lb_words_run *run) {
    return one(run, LB_WORDS_ONE_ROOT)->value.len > 0 ? "first" : "any";
}

static void add_rootpath(struct lb_text *text, const struct disk *disk) {
    bool is_v6 = find(disk->server, ":", 0) < disk->server.len;
    lb_text_add(text, "%siscsi:%s%.*s%s::%.*s:%.*s:%.*s", text->len > 0 ? " " : "",
                is_v6 ? "[" : "", (int)disk->server.len, (const char *)disk->server.p,
                is_v6 ? "]" : "", (int)disk->port.len, (const char *)disk->port.p,
                (int)disk->lun.len, (const char *)disk->lun.p, (int)disk->target.len,
                (const char *)disk->target.p);
}

static void set_others(struct lb_words_run *run, const struct disks *disks) {
    char room[2049];
    struct lb_text text = lb_text(room, sizeof(room));
    for (size_t i = 1; i < disks->count && !text.cut; i++) {
        const struct disk *disk = &disks->disk[i];
        if (disk->server.len == 0)
            lb_words_note(run->words, "%s= without a server is passed over behind another disk",
                          disk->word->name);
        else if (!has_same_account(&disks->disk[0], disk))
            lb_words_note(run->words,
                          "%s=iscsi: with another account than the first is passed over",
                          disk->word->name);
        else
            add_rootpath(&text, disk);
    }
    if (text.cut)
        lb_words_note(run->words, "so many disks are named that they do not all count");
    else
        lb_words_set(run, disks->disk[0].word->source, "other-rootpaths", lb_bytes(room, text.len));
}

/* A first disk with a LUN, and others without: the key `lun` is theirs. */
static bool is_mixed(const struct disks *disks) {
    bool has_blank = false;
    for (size_t i = 1; i < disks->count; i++)
        has_blank = has_blank || disks->disk[i].lun.len == 0;
    return has_blank && disks->disk[0].lun.len > 0 && disks->disk[0].server.len > 0;
}

static void set_lun_word(struct lb_words_run *run, enum lb_config_source source) {
    struct lb_bytes root_word = one(run, LB_WORDS_ONE_ROOT)->value;
    struct lb_disk_root root;
    lb_words_set(run, source, "lun", lb_bytes_of_text(lun_word(run)));
    if (lb_disk_root_parse(root_word, &root))
        lb_words_set(run, source, "lun-holds", root_word);
}

static void set_first(struct lb_words_run *run, const struct disks *disks) {
    const struct disk *disk = &disks->disk[0];
    enum lb_config_source source = disk->word->source;
    char room[1025];
    struct lb_text text = lb_text(room, sizeof(room));
    bool mixed = is_mixed(disks);
    if (mixed) {
        add_rootpath(&text, disk);
        lb_words_set(run, source, "rootpath", lb_bytes(room, text.len));
    } else {
        lb_words_set(run, source, "server", disk->server);
        lb_words_set(run, source, "port", disk->port);
        lb_words_set(run, source, "target", disk->target);
    }
    /* A number that an administrator gave elsewhere says more than a word that is not there. */
    if (disk->lun.len > 0 && !mixed)
        lb_words_set(run, source, "lun", disk->lun);
    else if (lb_config_source(run->config, LB_KEY_LUN) < LB_SOURCE_FILE)
        set_lun_word(run, source);
    run->netdev = disk->netdev;
    run->server = disk->server;
}

/* ---- what iscsiadm would be told ------------------------------------------------------------- */

static void set_param(struct lb_words_run *run, const struct lb_words_word *word) {
    static const struct {
        const char *name, *key;
    } params[] = {
        {"node.session.timeo.replacement_timeout=", "recovery-time"},
        {"node.conn[0].timeo.login_timeout=", "login-timeout"},
        {"node.conn[0].timeo.noop_out_interval=", "ping-interval"},
        {"node.session.auth.username=", "chap-name"},
        {"node.session.auth.password=", "chap-secret"},
        {"node.session.auth.username_in=", "chap-target-name"},
        {"node.session.auth.password_in=", "chap-target-secret"},
    };
    struct lb_error error = {.code = LB_OK};
    for (size_t i = 0; i < LB_COUNT(params); i++) {
        if (!lb_words_start_with(word->value, params[i].name))
            continue;
        struct lb_bytes value = lb_bytes_after(word->value, strlen(params[i].name));
        if (value.len > 0 && !lb_config_set(run->config, word->source,
                                            lb_bytes_of_text(params[i].key), value, &error))
            lb_words_note(run->words, "rd.iscsi.param=%svalue is passed over", params[i].name);
        return;
    }
    lb_words_note(run->words, "an rd.iscsi.param= that lunboot has no use for is passed over");
}

/* dracut's parse-iscsiroot.sh: root= takes precedence over netroot=. */
static void add_netroots(struct lb_words_run *run, struct disks *disks, bool of_root) {
    const struct lb_words *words = run->words;
    for (size_t i = 0; i < words->count[LB_WORDS_DISK]; i++) {
        const struct lb_words_word *word = &words->list[LB_WORDS_DISK][i];
        struct disk disk;
        if (lb_streq(word->name, "root") != of_root || !take_disk(run, word, &disk))
            continue;
        if (disk.lun.len == 0)
            disk.lun = lb_bytes_of_text(disks->lun);
        else if (!convert_lun(run, disks, &disk))
            continue;
        add_disk(run, disks, &disk);
    }
}

void lb_words_configure_disks(struct lb_words_run *run) {
    struct disks disks = {.count = 0};
    char lun[24] = "";
    struct lb_words *words = run->words;
    const struct lb_words_word *wanted = one(run, LB_WORDS_ONE_LUN);
    if (wanted->value.len > 0 && !read_lun(wanted->value, disks.lun, sizeof(disks.lun)))
        lb_words_wrong(run, wanted, wanted->value,
                       "is no decimal number, as udev's paths and dracut have it");
    add_netroots(run, &disks, true);
    add_netroots(run, &disks, false);
    add_named(run, &disks);
    take_luns_of_root(run, &disks, lun, sizeof(lun));
    lb_words_set(run, one(run, LB_WORDS_ONE_INITIATOR)->source, "initiator",
                 one(run, LB_WORDS_ONE_INITIATOR)->value);
    for (size_t i = 0; i < words->count[LB_WORDS_PARAM]; i++)
        set_param(run, &words->list[LB_WORDS_PARAM][i]);
    set_account(run, disks.count > 0 ? &disks.disk[0] : NULL);
    if (disks.count > 0) {
        set_first(run, &disks);
        set_others(run, &disks);
        return;
    }
    const struct lb_words_word *servers = one(run, LB_WORDS_ONE_SERVERS);
    lb_words_set(run, servers->source, "server", lb_words_without_brackets(servers->value));
    lb_words_set(run, one(run, LB_WORDS_ONE_PORT)->source, "port",
                 one(run, LB_WORDS_ONE_PORT)->value);
}
