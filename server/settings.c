#include "server/settings.h"
#include "core/base/dhcp_keys.h"
#include "core/names/rootpath.h"
#include "os/linux/files.h"
#include "server/images.h"
#include "server/store.h"
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool lb_server_fail(struct lb_server_error *error, const char *hint, const char *format, ...) {
    va_list arguments;
    if (error->what[0] != '\0')
        return false;
    struct lb_text text = lb_text(error->what, sizeof error->what);
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    lb_format(error->hint, sizeof error->hint, "%s", hint);
    return false;
}

#define FILE_MAX (1 << 20) /* a lunbootd.conf for 256 machines has 50 KiB */
#define KEYS_MAX 64        /* of a section */

enum type {
    TEXT,
    INTERFACE,
    BOOL,
    NUMBER,
    CHOICE,
    RANGE,
    RANGE6,
    ADDR4,
    ADDR6,
    LOCAL,
    MAC,
    UUID,
    SECRET,
    DHCP_KEYS,
    ALGORITHMS,
    PREFIX,
    PREFIX6,
    IMAGE,
};

struct key {
    const char *word;
    enum type type;
    size_t at; /* of its member */
    uint32_t least, most;
    const char *standard, *choices, *sentence;
};

/* clang-format off */
#define KEY(object, type, member, word, least, most, standard, choices, sentence)                  \
    {word, type, offsetof(struct object, member), least, most, standard, choices, sentence},
/* clang-format on */
#define LB_SERVER_KEY(...) KEY(lb_server_settings, __VA_ARGS__)
static const struct key keys[] = {
#include "server/keys.def"
};
#undef LB_SERVER_KEY
#define LB_MACHINE_KEY(...) KEY(lb_server_machine_settings, __VA_ARGS__)
static const struct key machine_keys[] = {
#include "server/keys.def"
};
#undef LB_MACHINE_KEY
#define LB_SUBNET_KEY(...) KEY(lb_server_subnet_settings, __VA_ARGS__)
static const struct key subnet_keys[] = {
#include "server/keys.def"
};
#undef LB_SUBNET_KEY

/* ---- values: each parser gives NULL, or what would be right ---- */

static const char *parse_text(const struct key *key, struct lb_bytes value, char *to) {
    if (value.len < key->least || !lb_text_is_fit(value))
        return "a text that is not empty, without control characters";
    return lb_text_copy(to, key->most + 1, value) ? NULL : "a shorter text";
}

/* Of Linux, whose names have no blank and no slash; quotes and comments are other programs'. */
static const char *parse_interface(const struct key *key, struct lb_bytes value, char *to) {
    for (size_t i = 0; i < value.len; i++)
        if (memchr("/ \t\"'", value.p[i], 5) != NULL)
            return "the name of a network interface, such as eth1";
    return parse_text(key, value, to);
}

static const char *parse_image(const struct key *key, struct lb_bytes value, char *to) {
    if (!lb_image_is_name(value))
        return "a name of small letters, digits, - and ., without the number of a version";
    return lb_text_copy(to, key->most + 1, value) ? NULL : "a shorter name";
}

static const char *parse_bool(struct lb_bytes value, bool *to) {
    bool is_yes = lb_text_is(value, "yes");
    if (!is_yes && !lb_text_is(value, "no"))
        return "yes or no";
    *to = is_yes;
    return NULL;
}

static const char *parse_number(const struct key *key, struct lb_bytes value, uint32_t *to) {
    static char form[64];
    uint64_t number;
    const char *unit = strstr(key->sentence, "MiB") != NULL ? " (MiB)" : "";
    lb_format(form, sizeof form, "a number from %u to %u%s", key->least, key->most, unit);
    if (!lb_parse_u64(value, key->most, &number) || number < key->least)
        return form;
    *to = (uint32_t)number;
    return NULL;
}

static const char *parse_choice(const struct key *key, struct lb_bytes value, uint32_t *to) {
    static char form[96];
    struct lb_bytes list = lb_bytes_of_text(key->choices), item;
    lb_format(form, sizeof form, "one of %s", key->choices);
    for (uint32_t i = 0; lb_list_next(&list, '|', &item); i++) {
        if (lb_bytes_equal(item, value)) {
            *to = i;
            return NULL;
        }
    }
    return form;
}

static const char *parse_address(struct lb_bytes value, struct lb_addr *to) {
    struct lb_addr addr;
    if (!lb_addr_parse_v4(value, &addr) || !lb_addr_is_host(addr))
        return "an IPv4 address of a machine";
    *to = addr;
    return NULL;
}

static const char *parse_address6(struct lb_bytes value, struct lb_addr *to) {
    struct lb_addr addr;
    if (!lb_addr_parse_v6(value, &addr) || !lb_addr_is_host(addr) || lb_addr_is_link_local(addr))
        return "an IPv6 address of a machine, and none that begins with fe80";
    *to = addr;
    return NULL;
}

/* An address to listen at: also loopback, and all addresses. */
static const char *parse_local(struct lb_bytes value, struct lb_addr *to) {
    struct lb_addr addr;
    if (!lb_addr_parse(value, &addr) || lb_addr_is_multicast(addr))
        return "an address of this computer, such as 127.0.0.1 or ::1";
    *to = addr;
    return NULL;
}

static const char *parse_range(const struct key *key, struct lb_bytes value,
                               struct lb_server_range *to) {
    bool is_v6 = key->type == RANGE6;
    const char *(*parse_one)(struct lb_bytes, struct lb_addr *) =
        is_v6 ? parse_address6 : parse_address;
    struct lb_server_range range;
    struct lb_bytes first, last;
    if (!lb_list_next(&value, '-', &first) || !lb_list_next(&value, '-', &last) || value.len > 0 ||
        parse_one(first, &range.first) || parse_one(last, &range.last))
        return is_v6 ? "two IPv6 addresses with - between them, such as "
                       "2001:db8::1000-2001:db8::1fff"
                     : "two IPv4 addresses with - between them, such as 192.0.2.100-192.0.2.200";
    if (memcmp(range.first.bytes, range.last.bytes, sizeof range.first.bytes) > 0)
        return "two addresses, the lower one first";
    if (is_v6 && memcmp(range.first.bytes, range.last.bytes, 8) != 0)
        return "two addresses whose first 64 bits are the same";
    *to = range;
    return NULL;
}

static const char *parse_network(struct lb_bytes value, enum lb_family family,
                                 struct lb_prefix *to) {
    struct lb_prefix prefix;
    bool is_v4 = family == LB_V4;
    if (!lb_prefix_parse(value, &prefix) || prefix.addr.family != family ||
        prefix.len < (is_v4 ? 8 : 64) || prefix.len > (is_v4 ? 30 : 120) ||
        !lb_addr_equal(prefix.addr, lb_addr_mask(prefix.addr, prefix.len)))
        return is_v4 ? "an IPv4 network with its length, such as 198.51.100.0/24"
                     : "an IPv6 network with its length, such as 2001:db8:5::/64";
    *to = prefix;
    return NULL;
}

/* With : between the bytes, or with - as Windows and PXELINUX write it. */
static const char *parse_mac(struct lb_bytes value, uint8_t to[6]) {
    uint8_t text[18], mac[7];
    size_t len = 0;
    for (; len < value.len && len < sizeof text; len++)
        text[len] = value.p[len] == '-' ? ':' : value.p[len];
    if (!lb_parse_hex_bytes(lb_bytes(text, len), lb_span(mac, sizeof mac), &len) || len != 6 ||
        (mac[0] & 1) || memcmp(mac, "\0\0\0\0\0", 6) == 0)
        return "a card's hardware address, such as 52:54:00:12:34:56";
    memcpy(to, mac, 6);
    return NULL;
}

/* Option 97 has the first three fields with the lowest byte first, as SMBIOS has them. */
static const char *parse_uuid(struct lb_bytes value, uint8_t to[16]) {
    uint8_t hex[40], bytes[17];
    size_t hex_len = 0, len = 0;
    for (size_t i = 0; i < value.len && hex_len < sizeof hex; i++)
        if (value.p[i] != '-')
            hex[hex_len++] = value.p[i];
    if (!lb_parse_hex_bytes(lb_bytes(hex, hex_len), lb_span(bytes, sizeof bytes), &len) ||
        len != 16)
        return "a UUID, such as 564d4173-0000-4173-8000-525400123456";
    lb_uuid_swap(bytes, to);
    return NULL;
}

/* As lunboot.conf has it: the bytes themselves, or 0x and hex digits. */
static const char *parse_secret(const struct key *key, struct lb_bytes value,
                                struct lb_server_secret *to) {
    static char form[64];
    uint8_t binary[LB_SECRET_MAX + 1];
    size_t len = value.len;
    bool is_hex = lb_bytes_start_with(value, lb_bytes_of_text("0x"));
    lb_format(form, sizeof form, "a secret of %u to %u bytes; 0x and hex digits for binary",
              key->least, key->most);
    if (is_hex &&
        !lb_parse_hex_bytes(lb_bytes_after(value, 2), lb_span(binary, sizeof binary), &len))
        return form;
    if (len < key->least || len > key->most)
        return form;
    memcpy(to->bytes, is_hex ? binary : value.p, len);
    to->len = len;
    lb_wipe(binary, sizeof binary);
    return NULL;
}

static const char *parse_dhcp_keys(struct lb_bytes value, struct lb_server_dhcp_keys *to) {
    size_t item;
    if (value.len == 0 || !lb_dhcp_keys_check(value, &item))
        return "ID:SECRET for DHCPv4 and ID@REALM:SECRET for DHCPv6, with commas, each ID once; a "
               "secret has 8 to 64 bytes";
    return lb_text_copy(to->text, sizeof to->text, value) ? NULL : "fewer keys";
}

static const char *parse(const struct key *key, struct lb_bytes value, void *to) {
    switch (key->type) {
    case TEXT:
        return parse_text(key, value, to);
    case INTERFACE:
        return parse_interface(key, value, to);
    case IMAGE:
        return parse_image(key, value, to);
    case BOOL:
        return parse_bool(value, to);
    case NUMBER:
        return parse_number(key, value, to);
    case CHOICE:
        return parse_choice(key, value, to);
    case RANGE:
    case RANGE6:
        return parse_range(key, value, to);
    case ADDR4:
        return parse_address(value, to);
    case ADDR6:
        return parse_address6(value, to);
    case LOCAL:
        return parse_local(value, to);
    case MAC:
        return parse_mac(value, to);
    case UUID:
        return parse_uuid(value, to);
    case SECRET:
        return parse_secret(key, value, to);
    case DHCP_KEYS:
        return parse_dhcp_keys(value, to);
    case PREFIX:
        return parse_network(value, LB_V4, to);
    case PREFIX6:
        return parse_network(value, LB_V6, to);
    case ALGORITHMS:
        return lb_chap_parse_algs(value, to) ? NULL : "a list of md5, sha1, sha256 and sha3-256";
    }
    return "nothing";
}

/* ---- keys ---- */

static void set_defaults(const struct key *list, size_t count, void *object) {
    for (size_t i = 0; i < count; i++) {
        struct lb_bytes standard = lb_bytes_of_text(list[i].standard);
        if (standard.len > 0)
            lb_assert(parse(&list[i], standard, (char *)object + list[i].at) == NULL);
    }
}

void lb_server_settings_init(struct lb_server_settings *settings) {
    *settings = (struct lb_server_settings){0};
    set_defaults(keys, LB_COUNT(keys), settings);
}

static const struct key *find_key(const struct key *list, size_t count, struct lb_bytes word) {
    for (size_t i = 0; i < count; i++)
        if (lb_text_is(word, list[i].word))
            return &list[i];
    return NULL;
}

/* What would be right, and what a value may have that is from other programs' files. */
static void add_hint(struct lb_text *hint, const char *form, struct lb_bytes value) {
    bool is_quoted = value.len > 1 && (value.p[0] == '"' || value.p[0] == '\'');
    lb_text_add(hint, "give %s", form);
    if (is_quoted)
        lb_text_add(hint, "; without quotes");
    else if (value.len > 0 && memchr(value.p, '#', value.len) != NULL)
        lb_text_add(hint, "; a comment has a line of its own");
}

static bool set_key(const struct key *key, void *object, struct lb_bytes value, const char *where,
                    struct lb_server_error *error) {
    char given[100], hint[200];
    struct lb_text shown = lb_text(given, sizeof given), more = lb_text(hint, sizeof hint);
    const char *form = parse(key, value, (char *)object + key->at);
    if (form == NULL)
        return true;
    if (key->type == SECRET || key->type == DHCP_KEYS) {
        lb_text_add(&more, "give %s", form);
        return lb_server_fail(error, hint, "%s: this %s cannot be used", where, key->word);
    }
    add_hint(&more, form, value);
    lb_text_given(&shown, value, 60);
    return lb_server_fail(error, hint, "%s: %s cannot be \"%s\"", where, key->word, given);
}

static bool fail_key(const struct key *list, struct lb_bytes word, const char *where,
                     struct lb_server_error *error) {
    char given[100];
    struct lb_text shown = lb_text(given, sizeof given);
    const char *hint = "lunbootd --help lists the keys";
    if (list != keys && find_key(keys, LB_COUNT(keys), word) != NULL)
        hint = "it is for all machines: write it above the first section";
    else if (list != machine_keys && find_key(machine_keys, LB_COUNT(machine_keys), word) != NULL)
        hint = "it is for one machine: write it below a line [machine NAME]";
    else if (list != subnet_keys && find_key(subnet_keys, LB_COUNT(subnet_keys), word) != NULL)
        hint = "it is for one network: write it below a line [subnet NAME]";
    lb_text_given(&shown, word, 60);
    return lb_server_fail(error, hint,
                          list == keys ? "%s: there is no key \"%s\""
                                       : "%s: there is no key \"%s\" in this section",
                          where, given);
}

bool lb_server_settings_set(struct lb_server_settings *settings, struct lb_bytes word,
                            struct lb_bytes value, const char *where,
                            struct lb_server_error *error) {
    const struct key *key = find_key(keys, LB_COUNT(keys), word);
    return key != NULL ? set_key(key, settings, value, where, error)
                       : fail_key(keys, word, where, error);
}

/* ---- lunbootd.conf ---- */

_Static_assert(LB_COUNT(keys) <= KEYS_MAX && LB_COUNT(machine_keys) <= KEYS_MAX &&
                   LB_COUNT(subnet_keys) <= KEYS_MAX,
               "struct section has room for them");

static bool is_name(struct lb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        bool is_fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!is_fit || (i == 0 && (c == '-' || c == '.')))
            return false;
    }
    return text.len > 0 && text.len <= LB_SERVER_MACHINE_NAME_MAX;
}

/* The section that lines belong to, and its keys so far. */
struct section {
    const struct key *keys;
    size_t count;
    void *object;
    struct {
        struct lb_bytes value;
        unsigned line; /* 0: it was not there */
    } seen[KEYS_MAX];
};

/* Takes the next of a kind of section, whose name is `name`. names: those before it, their stride
 * in bytes. */
static bool take_name(struct lb_bytes name, const char *what, const char *names, size_t stride,
                      size_t count, size_t most, const char *where, struct lb_server_error *error) {
    if (count == most)
        return lb_server_fail(error, "serve the others by another lunbootd",
                              "%s: there are more than %zu %ss", where, most, what);
    if (!is_name(name))
        return lb_server_fail(error,
                              "a name has small letters, digits, - and ., at most 48 of them",
                              "%s: the %s's name cannot be used", where, what);
    for (size_t i = 0; i < count; i++)
        if (lb_text_is(name, names + i * stride))
            return lb_server_fail(error, "give one of them another name",
                                  "%s: there are two %ss %s", where, what, names + i * stride);
    return true;
}

static bool begin_machine(struct lb_server_settings *settings, struct lb_bytes name,
                          const char *where, struct section *section,
                          struct lb_server_error *error) {
    struct lb_server_machine_settings *machine = &settings->machines[settings->machine_count];
    if (!take_name(name, "machine", settings->machines[0].name, sizeof *machine,
                   settings->machine_count, LB_SERVER_SECTIONS_MAX, where, error))
        return false;
    *machine = (struct lb_server_machine_settings){0};
    lb_text_copy(machine->name, sizeof machine->name, name);
    set_defaults(machine_keys, LB_COUNT(machine_keys), machine);
    settings->machine_count++;
    *section =
        (struct section){.keys = machine_keys, .count = LB_COUNT(machine_keys), .object = machine};
    return true;
}

static bool begin_subnet(struct lb_server_settings *settings, struct lb_bytes name,
                         const char *where, struct section *section,
                         struct lb_server_error *error) {
    struct lb_server_subnet_settings *subnet = &settings->subnets[settings->subnet_count];
    if (!take_name(name, "subnet", settings->subnets[0].name, sizeof *subnet,
                   settings->subnet_count, LB_SERVER_SUBNETS_MAX, where, error))
        return false;
    *subnet = (struct lb_server_subnet_settings){0};
    lb_text_copy(subnet->name, sizeof subnet->name, name);
    settings->subnet_count++;
    *section =
        (struct section){.keys = subnet_keys, .count = LB_COUNT(subnet_keys), .object = subnet};
    return true;
}

/* [machine NAME] or [subnet NAME]. */
static bool begin_section(struct lb_server_settings *settings, struct lb_bytes line,
                          const char *where, struct section *section,
                          struct lb_server_error *error) {
    static const struct {
        const char *form;
        bool (*begin)(struct lb_server_settings *, struct lb_bytes, const char *, struct section *,
                      struct lb_server_error *);
    } kinds[] = {{"[machine ", begin_machine}, {"[subnet ", begin_subnet}};
    for (size_t i = 0; i < LB_COUNT(kinds); i++) {
        struct lb_bytes form = lb_bytes_of_text(kinds[i].form);
        if (!lb_bytes_start_with(line, form) || line.p[line.len - 1] != ']')
            continue;
        struct lb_bytes name = lb_bytes_after(line, form.len);
        return kinds[i].begin(settings, lb_bytes_trim(lb_bytes(name.p, name.len - 1)), where,
                              section, error);
    }
    return lb_server_fail(error, "sections are [machine NAME] and [subnet NAME]",
                          "%s: a section that is not understood", where);
}

/* A key twice in one section, with two values: which one is meant? */
static bool take_key(struct section *section, struct lb_bytes word, struct lb_bytes value,
                     unsigned line, const char *where, struct lb_server_error *error) {
    const struct key *key = find_key(section->keys, section->count, word);
    if (key == NULL)
        return fail_key(section->keys, word, where, error);
    size_t at = (size_t)(key - section->keys);
    if (section->seen[at].line != 0 && !lb_bytes_equal(section->seen[at].value, value))
        return lb_server_fail(error, "keep the line that is meant, and remove the other",
                              "%s: %s has another value in line %u", where, key->word,
                              section->seen[at].line);
    section->seen[at].value = value;
    section->seen[at].line = line;
    return set_key(key, section->object, value, where, error);
}

static bool read_line(struct lb_server_settings *settings, struct section *section,
                      struct lb_bytes line, unsigned number, const char *where,
                      struct lb_server_error *error) {
    struct lb_bytes word, value;
    if (memchr(line.p, '\0', line.len) != NULL)
        return lb_server_fail(error, "write the file again as plain text (UTF-8)",
                              "%s: a NUL byte: the file is damaged, or it is UTF-16", where);
    if (line.p[0] == '[')
        return begin_section(settings, line, where, section, error);
    if (!lb_split_at(line, '=', &word, &value))
        return lb_server_fail(error, "write it as key = value, or begin it with # as a comment",
                              "%s: a line that is not understood", where);
    return take_key(section, lb_bytes_trim(word), lb_bytes_trim(value), number, where, error);
}

bool lb_server_settings_read(struct lb_server_settings *settings, struct lb_bytes text,
                             const char *name, struct lb_server_error *error) {
    struct section section = {.keys = keys, .count = LB_COUNT(keys), .object = settings};
    struct lb_bytes mark = lb_bytes_of_text("\xef\xbb\xbf");
    if (lb_bytes_start_with(text, mark)) /* as lunboot.conf may begin */
        text = lb_bytes_after(text, mark.len);
    for (unsigned number = 1; text.len > 0; number++) {
        char where[LB_SERVER_PATH_MAX + 16];
        struct lb_bytes line;
        (void)lb_split_at(text, '\n', &line, &text);
        line = lb_bytes_trim(line);
        lb_format(where, sizeof where, "%s:%u", name, number);
        if (line.len > 0 && line.p[0] != '#' &&
            !read_line(settings, &section, line, number, where, error))
            return false;
    }
    return true;
}

static bool read_file(struct lb_server_settings *settings, const char *path,
                      struct lb_server_error *error) {
    static uint8_t room[FILE_MAX];
    struct stat status;
    int fd = lb_file_open(path, &status);
    long len = fd < 0 ? fd : lb_file_read_all(fd, lb_span(room, sizeof room));
    if (len < 0)
        return lb_server_fail(error, "check the path and the permissions",
                              "the configuration %s cannot be read: %s", path,
                              lb_file_reason((int)-len));
    bool is_good = lb_server_settings_read(settings, lb_bytes(room, (size_t)len), path, error) &&
                   lb_server_settings_is_closed(settings, path, status.st_mode, status.st_uid,
                                                geteuid(), error);
    lb_wipe(room, (size_t)len);
    return is_good;
}

/* ---- the command line ---- */

static const char *form_of(const struct key *key);

/* An option without a value, which only yes can be. */
static bool fail_value(const struct key *key, const char *where, struct lb_server_error *error) {
    char hint[100];
    lb_format(hint, sizeof hint, "write it as one word: --%s=%s", key->word, form_of(key));
    return lb_server_fail(error, hint, "%s: --%s has no value", where, key->word);
}

/* disk: the word that named it; empty: none has. */
static bool take_word(struct lb_server_settings *settings, const char *argument, const char **disk,
                      struct lb_server_error *error) {
    static const char where[] = "the command line";
    struct lb_bytes rest = lb_bytes_of_text(argument), word, value;
    if (!lb_bytes_start_with(rest, lb_bytes_of_text("--"))) {
        if (rest.len > 0 && rest.p[0] == '-')
            return lb_server_fail(error, "options are --KEY=VALUE: lunbootd --help",
                                  "%s: there is no option %s", where, argument);
        if (**disk != '\0')
            return lb_server_fail(error,
                                  "name one; a machine's own disk has its place in a file of "
                                  "--config",
                                  "%s: two disks are named, %s and %s", where, *disk, argument);
        *disk = argument;
        return lb_server_settings_set(settings, lb_bytes_of_text("disk"), rest, where, error);
    }
    bool has_value = lb_split_at(lb_bytes_after(rest, 2), '=', &word, &value);
    const struct key *key = find_key(keys, LB_COUNT(keys), word);
    if (key != NULL && (key->type == SECRET || key->type == DHCP_KEYS))
        return lb_server_fail(error, "give it in the file of --config",
                              "%s: all users of this machine can see a secret there", where);
    if (lb_text_is(word, "config"))
        return lb_server_fail(error, "write it as one word: --config=FILE",
                              "%s: --config has no value", where);
    if (key != NULL && !has_value && key->type != BOOL)
        return fail_value(key, where, error);
    return lb_server_settings_set(settings, word, has_value ? value : lb_bytes_of_text("yes"),
                                  where, error);
}

bool lb_server_settings_take(struct lb_server_settings *settings, int argc, char **argv,
                             struct lb_server_error *error) {
    static const char config[] = "--config=";
    const char *disk = "";
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], config, sizeof config - 1) == 0 &&
            !read_file(settings, argv[i] + sizeof config - 1, error))
            return false;
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], config, sizeof config - 1) != 0 &&
            !take_word(settings, argv[i], &disk, error))
            return false;
    if (settings->overlays[0] == '\0')
        lb_format(settings->overlays, sizeof settings->overlays, "%s/overlays", settings->state);
    return true;
}

/* ---- differences ---- */

static size_t size_of(const struct key *key) {
    switch (key->type) {
    case BOOL:
        return sizeof(bool);
    case NUMBER:
    case CHOICE:
        return sizeof(uint32_t);
    case RANGE:
    case RANGE6:
        return sizeof(struct lb_server_range);
    case ADDR4:
    case ADDR6:
    case LOCAL:
        return sizeof(struct lb_addr);
    case MAC:
        return 6;
    case UUID:
        return 16;
    case SECRET:
        return sizeof(struct lb_server_secret);
    case DHCP_KEYS:
        return sizeof(struct lb_server_dhcp_keys);
    case ALGORITHMS:
        return sizeof(struct lb_chap_algs);
    case PREFIX:
    case PREFIX6:
        return sizeof(struct lb_prefix);
    case TEXT:
    case INTERFACE:
    case IMAGE:
        break;
    }
    return 0;
}

static const char *find_difference(const struct key *list, size_t count, const void *a,
                                   const void *b, const char *may_differ) {
    for (size_t i = 0; i < count; i++) {
        const char *left = (const char *)a + list[i].at, *right = (const char *)b + list[i].at;
        size_t size = size_of(&list[i]);
        bool is_same = size > 0 ? memcmp(left, right, size) == 0 : lb_streq(left, right);
        if (!is_same && !lb_list_has_name(lb_bytes_of_text(may_differ), list[i].word))
            return list[i].word;
    }
    return NULL;
}

const char *lb_server_settings_difference(const struct lb_server_settings *a,
                                          const struct lb_server_settings *b,
                                          const char *may_differ) {
    return find_difference(keys, LB_COUNT(keys), a, b, may_differ);
}

const char *lb_server_section_difference(const struct lb_server_machine_settings *a,
                                         const struct lb_server_machine_settings *b,
                                         const char *may_differ) {
    return find_difference(machine_keys, LB_COUNT(machine_keys), a, b, may_differ);
}

bool lb_server_settings_add(struct lb_server_settings *settings,
                            const struct lb_store_section *section, const char *where,
                            struct lb_server_error *error) {
    size_t count = settings->machine_count;
    struct lb_server_machine_settings *machine = &settings->machines[count];
    bool is_read = lb_server_settings_read(settings, lb_bytes_of_text(section->text), where, error);
    if (is_read && (machine->chap.secret.len > 0 || machine->chap.target_secret.len > 0))
        is_read = lb_server_fail(error, "write the machine's section into lunbootd.conf",
                                 "%s: a secret is seen by others in the list of processes", where);
    if (is_read && lb_server_settings_check(settings, error) &&
        settings->machine_count == count + 1) {
        machine->is_added = true;
        return true;
    }
    if (count < LB_SERVER_SECTIONS_MAX) /* else there is no place behind the last one */
        *machine = (struct lb_server_machine_settings){0};
    settings->machine_count = count;
    return false;
}

bool lb_server_settings_forget(struct lb_server_settings *settings, const char *name,
                               struct lb_server_error *error) {
    for (size_t i = 0; i < settings->machine_count; i++) {
        if (!lb_streq(settings->machines[i].name, name) || !settings->machines[i].is_added)
            continue;
        settings->machine_count--;
        memmove(&settings->machines[i], &settings->machines[i + 1],
                (settings->machine_count - i) * sizeof *settings->machines);
        return true;
    }
    return lb_server_fail(error, "take its section out of lunbootd.conf, then: lunbootctl reload",
                          "%s was not added by lunbootctl", name);
}

/* ---- help ---- */

static const char *form_of(const struct key *key) {
    switch (key->type) {
    case BOOL:
        return "yes|no";
    case CHOICE:
        return key->choices;
    case NUMBER:
        return "NUMBER";
    case RANGE:
    case RANGE6:
        return "FIRST-LAST";
    case ADDR4:
    case ADDR6:
    case LOCAL:
        return "ADDRESS";
    case MAC:
        return "MAC";
    case UUID:
        return "UUID";
    case SECRET:
    case DHCP_KEYS:
        return "SECRET";
    case ALGORITHMS:
        return "LIST";
    case PREFIX:
    case PREFIX6:
        return "NETWORK";
    case INTERFACE:
    case IMAGE:
        return "NAME";
    case TEXT:
        break;
    }
    return "TEXT";
}

bool lb_server_settings_key(enum lb_server_keys of, size_t number,
                            struct lb_server_key_info *info) {
    static const struct {
        const struct key *keys;
        size_t count;
    } lists[] = {
        [LB_KEYS_OF_SERVER] = {keys, LB_COUNT(keys)},
        [LB_KEYS_OF_MACHINE] = {machine_keys, LB_COUNT(machine_keys)},
        [LB_KEYS_OF_SUBNET] = {subnet_keys, LB_COUNT(subnet_keys)},
    };
    if (number >= lists[of].count)
        return false;
    const struct key *key = &lists[of].keys[number];
    *info = (struct lb_server_key_info){
        .word = key->word,
        .choices = key->choices,
        .standard = key->standard,
        .sentence = key->sentence,
        .is_path = key->type == TEXT && key->most == LB_SERVER_PATH_MAX,
    };
    lb_format(info->form, sizeof info->form, "%s", form_of(key));
    return true;
}

static void add_keys(struct lb_text *text, enum lb_server_keys of) {
    struct lb_server_key_info key;
    bool is_option = of == LB_KEYS_OF_SERVER;
    for (size_t i = 0; lb_server_settings_key(of, i, &key); i++) {
        lb_text_add(text, "  %s%s%s%s\n      %s", is_option ? "--" : "", key.word,
                    is_option ? "=" : " = ", key.form, key.sentence);
        if (key.standard[0] != '\0')
            lb_text_add(text, " Default: %s.", key.standard);
        lb_text_add(text, "\n");
    }
}

void lb_server_settings_help(struct lb_text *text) {
    add_keys(text, LB_KEYS_OF_SERVER);
}

void lb_server_settings_help_machine(struct lb_text *text) {
    add_keys(text, LB_KEYS_OF_MACHINE);
}

void lb_server_settings_help_subnet(struct lb_text *text) {
    add_keys(text, LB_KEYS_OF_SUBNET);
}
