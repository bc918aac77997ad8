#include "hosts/linux/ibft_source.h"
#include "core/base/config_lists.h"
#include "core/crypto/crypto.h"
#include "core/names/rootpath.h"
#include "hosts/linux/machine.h"
#include "os/linux/files.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_AT   "sys/firmware/ibft"
#define PATH_BYTES 512

/* ---- reading --------------------------------------------------------------------------------- */

enum rank { NOT_THERE, BROKEN, ANOTHERS, OURS };

/* By its names, which stand one behind the other in each table of ACPI; the second has a NUL. */
static bool is_ours(struct lb_bytes table) {
    enum { NAMES_AT = 10 };
    static const char names[] = LB_IBFT_OEM LB_IBFT_OEM_TABLE;
    return table.len >= NAMES_AT + sizeof(names) &&
           memcmp(table.p + NAMES_AT, names, sizeof(names)) == 0;
}

static enum lb_ibft_found read_one(const char *path, struct lb_ibft *ibft) {
    uint8_t bytes[LB_IBFT_MAX + 1];
    long len = lb_file_read(path, lb_span(bytes, sizeof(bytes)));
    struct lb_bytes table = lb_bytes(bytes, len > 0 ? (size_t)len : 0);
    bool good = lb_ibft_decode(table, ibft);
    enum lb_ibft_found broken = is_ours(table) ? LB_IBFT_OURS_BROKEN : LB_IBFT_BROKEN;
    lb_wipe(bytes, sizeof(bytes));
    return good ? LB_IBFT_READ_WELL : len == -ENOENT ? LB_IBFT_ABSENT : broken;
}

bool lb_ibft_is_ours(const struct lb_ibft *ibft) {
    return lb_streq(ibft->oem_id, LB_IBFT_OEM) && lb_streq(ibft->oem_table_id, LB_IBFT_OEM_TABLE);
}

static enum rank rank_of(enum lb_ibft_found found, const struct lb_ibft *ibft) {
    switch (found) {
    case LB_IBFT_ABSENT:
        return NOT_THERE;
    case LB_IBFT_BROKEN:
        return BROKEN;
    case LB_IBFT_OURS_BROKEN:
        return OURS;
    case LB_IBFT_READ_WELL:
        break;
    }
    return lb_ibft_is_ours(ibft) ? OURS : ANOTHERS;
}

/* Of two tables of a kind the kernel numbers the files. Of several the highest rank counts: the
 * first of others, and the last of ours, which was made last. */
static enum lb_ibft_found read_acpi(const char *root, struct lb_ibft *ibft) {
    static const char *const names[] = {"iBFT", "iBFT1", "iBFT2", "iBFT3", "iBFT4", "IBFT", "BIFT"};
    enum lb_ibft_found best = LB_IBFT_ABSENT;
    enum rank rank = NOT_THERE;
    for (size_t i = 0; i < LB_COUNT(names); i++) {
        struct lb_ibft other = {.nic_count = 0};
        char path[PATH_BYTES];
        lb_format(path, sizeof(path), "%s/sys/firmware/acpi/tables/%s", root, names[i]);
        enum lb_ibft_found found = read_one(path, &other);
        enum rank its = rank_of(found, &other);
        if (its > rank || its == OURS) {
            best = found;
            rank = its;
            if (found == LB_IBFT_READ_WELL)
                *ibft = other;
        }
        lb_wipe(&other, sizeof(other));
    }
    return best;
}

/* The kernel ends each value with a line feed. An attribute that cannot be read is not there. */
static bool show_one(struct lb_ibft_shown *shown, const char *folder, const char *path,
                     const char *name) {
    char file[PATH_BYTES], text[1024];
    lb_format(file, sizeof(file), "%s/%s", path, name);
    long len = lb_file_read(file, lb_span(text, sizeof(text)));
    if (len > 0 && text[len - 1] == '\n')
        len--;
    bool good = len <= 0 || lb_ibft_shown_add(shown, lb_bytes_of_text(folder), name,
                                              lb_bytes(text, (size_t)len));
    lb_wipe(text, sizeof(text));
    return good;
}

static bool show_folder(struct lb_ibft_shown *shown, const char *root, const char *folder) {
    char path[PATH_BYTES / 2];
    const struct dirent *entry;
    DIR *dir;
    bool good = true;
    lb_format(path, sizeof(path), "%s/" SHOWN_AT "/%s", root, folder);
    dir = opendir(path);
    while (dir && good && (entry = readdir(dir)) != NULL)
        good = entry->d_type == DT_DIR || show_one(shown, folder, path, entry->d_name);
    if (dir)
        closedir(dir);
    return good;
}

static enum lb_ibft_found read_shown(const char *root, struct lb_ibft *ibft) {
    struct lb_ibft_shown shown = {.ibft = {.nic_count = 0}};
    char path[PATH_BYTES / 2];
    const struct dirent *entry;
    DIR *dir;
    bool good = true;
    lb_format(path, sizeof(path), "%s/" SHOWN_AT, root);
    dir = opendir(path);
    if (!dir)
        return LB_IBFT_ABSENT;
    while (good && (entry = readdir(dir)) != NULL)
        good = entry->d_name[0] == '.' || show_folder(&shown, root, entry->d_name);
    closedir(dir);
    lb_ibft_shown_end(&shown);
    bool is_empty = shown.ibft.nic_count == 0 && shown.ibft.target_count == 0;
    if (good && !is_empty)
        *ibft = shown.ibft;
    lb_wipe(&shown, sizeof(shown));
    return !good ? LB_IBFT_BROKEN : is_empty ? LB_IBFT_ABSENT : LB_IBFT_READ_WELL;
}

enum lb_ibft_found lb_ibft_read(const char *root, struct lb_ibft *ibft) {
    enum lb_ibft_found found = read_acpi(root, ibft);
    return found == LB_IBFT_ABSENT ? read_shown(root, ibft) : found;
}

/* ---- as configuration ------------------------------------------------------------------------ */

/* The first failure is kept, so a list of these is asked at its end. */
static void set(struct lb_config *config, const char *key, struct lb_bytes value,
                struct lb_error *error) {
    if (value.len > 0 && lb_is_ok(error))
        lb_config_set(config, LB_SOURCE_IBFT, lb_bytes_of_text(key), value, error);
}

static void set_text(struct lb_config *config, const char *key, const char *value,
                     struct lb_error *error) {
    set(config, key, lb_bytes_of_text(value), error);
}

static void set_addr(struct lb_config *config, const char *key, struct lb_addr addr,
                     struct lb_error *error) {
    if (lb_addr_is_set(addr) && !lb_addr_is_zero(addr))
        set_text(config, key, lb_addr_text(addr).s, error);
}

/* Bytes of any kind: as hex digits, which the key takes as binary. */
static void set_secret(struct lb_config *config, const char *key, const uint8_t *bytes, size_t len,
                       struct lb_error *error) {
    char value[2 * LB_SECRET_MAX + 3];
    struct lb_text text = lb_text(value, sizeof(value));
    if (len == 0)
        return;
    lb_text_add(&text, "0x");
    for (size_t i = 0; i < len; i++)
        lb_text_add(&text, "%02x", bytes[i]);
    set_text(config, key, value, error);
    lb_wipe(value, sizeof(value));
}

static void set_target(const struct lb_ibft_target *target, struct lb_config *config,
                       struct lb_error *error) {
    char lun[24];
    struct lb_text text = lb_text(lun, sizeof(lun));
    lb_lun_format(&text, target->lun);
    set_text(config, "target", target->name, error);
    set_addr(config, "server", target->portal.addr, error);
    set_text(config, "lun", lun, error);
    snprintf(lun, sizeof(lun), "%u", target->portal.port);
    if (target->portal.port != 0)
        set_text(config, "port", lun, error);
    if (target->chap == LB_IBFT_NO_CHAP)
        return;
    set_text(config, "chap-name", target->chap_name, error);
    set_secret(config, "chap-secret", target->chap_secret, target->chap_secret_len, error);
    if (target->chap != LB_IBFT_MUTUAL)
        return;
    set_text(config, "chap-target-name", target->reverse_name, error);
    set_secret(config, "chap-target-secret", target->reverse_secret, target->reverse_secret_len,
               error);
}

/* What was protected stays so: RFC 4173 8. A source above the table may bring other keys. */
static void set_ipsec(const struct lb_ibft_ipsec *ipsec, struct lb_config *config,
                      struct lb_error *error) {
    if (!ipsec->is_there)
        return;
    set_text(config, "require", "ipsec", error);
    set_secret(config, "ipsec-psk", ipsec->psk, ipsec->psk_len, error);
    set_text(config, "ipsec-id", ipsec->id, error);
    set_text(config, "ipsec-peer-id", ipsec->peer_id, error);
    if (ipsec->is_transport)
        set_text(config, "ipsec-mode", "transport", error);
}

static bool has_word(const struct lb_ibft_policy *policy, const char *word) {
    return policy->is_there && lb_list_has_name(lb_bytes_of_text(policy->require), word);
}

/* The firmware took no DHCP answer without a proof, and there is no key here to ask for one: the
 * address that it proved is used, and DHCP is not asked. */
static bool keeps_address(const struct lb_ibft_policy *policy, const struct lb_ibft_nic *nic,
                          const struct lb_config *config) {
    return has_word(policy, "dhcp-auth") && !lb_config_is_set(config, LB_KEY_DHCP_KEYS) &&
           lb_addr_is_set(nic->address) && !lb_addr_is_zero(nic->address);
}

/* The words that are required, one by one; of dhcp-auth nothing is left to require where DHCP is
 * not asked. */
static void set_words(const struct lb_ibft_policy *policy, bool is_address_kept,
                      struct lb_config *config, struct lb_error *error) {
    struct lb_bytes list = lb_bytes_of_text(policy->require), word;
    while (lb_list_next(&list, ',', &word))
        if (!is_address_kept || !lb_text_is(word, "dhcp-auth"))
            set(config, "require", word, error);
}

/* So does the rest of it. A digest that is required has to be offered. */
static void set_policy(const struct lb_ibft_policy *policy, bool is_address_kept,
                       struct lb_config *config, struct lb_error *error) {
    static const char *const digests[] = {"header-digest", "data-digest"};
    struct lb_config_item odd;
    if (!policy->is_there)
        return;
    set_words(policy, is_address_kept, config, error);
    set_text(config, "allow-server", policy->allow_server, error);
    set_text(config, "allow-target", policy->allow_target, error);
    if (!lb_config_forms_check(lb_bytes_of_text(policy->allow_target), &odd))
        set_text(config, "accept-names", "lenient", error); /* as the firmware did */
    for (size_t i = 0; i < LB_COUNT(digests); i++)
        if (has_word(policy, digests[i]))
            set_text(config, digests[i], "crc32c", error);
}

/* Of IPv4 some count from the beginning of ::ffff:0:0/96. */
static uint8_t prefix_len(const struct lb_ibft_nic *nic) {
    bool is_mapped = nic->address.family == LB_V4 && nic->prefix_len >= 96;
    return is_mapped ? (uint8_t)(nic->prefix_len - 96) : nic->prefix_len;
}

static void set_address(const struct lb_ibft_nic *nic, struct lb_config *config,
                        struct lb_error *error) {
    struct lb_prefix address = {.addr = nic->address, .len = prefix_len(nic)};
    if (address.len > (nic->address.family == LB_V4 ? 32 : 128))
        lb_fail(error, LB_E_IBFT, "the address %s of its NIC has a prefix of %u bits",
                lb_addr_text(nic->address).s, nic->prefix_len);
    else
        set_text(config, "address", lb_prefix_text(address).s, error);
}

static void set_nic(const struct lb_ibft_nic *nic, bool is_address_kept, struct lb_config *config,
                    struct lb_error *error) {
    bool is_leased =
        nic->origin == LB_IBFT_DHCP || nic->origin == LB_IBFT_ROUTER || lb_addr_is_set(nic->dhcp);
    /* iPXE copies the DHCP server's word: one that is no name is left out, as our DHCP client
     * does. */
    if (lb_host_name_is_plain(lb_bytes_of_text(nic->hostname)))
        set_text(config, "hostname", nic->hostname, error);
    /* A leased address is asked for again: whoever has the interface next needs to know its
     * time. */
    if ((is_leased && !is_address_kept) || !lb_addr_is_set(nic->address))
        return;
    set_address(nic, config, error);
    set_addr(config, "gateway", nic->gateway, error);
    set_addr(config, "dns", nic->dns[0], error);
}

/* All or nothing: a person may yet name the disk otherwise. */
static bool set_all(const struct lb_ibft *ibft, const struct lb_ibft_target *target,
                    const struct lb_ibft_nic *nic, struct lb_config *config,
                    struct lb_error *error) {
    struct lb_config made = *config;
    set_text(&made, "enable", "yes", error);
    set_text(&made, "initiator", ibft->initiator, error);
    set_target(target, &made, error);
    lb_format(made.table.target, sizeof(made.table.target), "%s", target->name);
    made.table.chap = target->chap != LB_IBFT_NO_CHAP;
    made.table.mutual = target->chap == LB_IBFT_MUTUAL;
    bool is_address_kept = keeps_address(&ibft->policy, nic, config);
    made.table.is_address_kept = is_address_kept;
    set_nic(nic, is_address_kept, &made, error);
    set_ipsec(&ibft->ipsec, &made, error);
    set_policy(&ibft->policy, is_address_kept, &made, error);
    if (lb_is_ok(error))
        *config = made;
    lb_wipe(&made, sizeof(made));
    return lb_is_ok(error);
}

/* As a source that no lock keeps out. */
void lb_ibft_require(struct lb_config *config, const char *target, struct lb_error *error) {
    const struct lb_config_table *table = &config->table;
    bool is_tables = table->target[0] != '\0' && lb_iscsi_names_equal(table->target, target);
    if (is_tables && (table->chap || table->mutual))
        lb_config_set(config, LB_SOURCE_SIGNED, lb_bytes_of_text("require"),
                      lb_bytes_of_text(table->mutual ? "mutual-chap" : "chap"), error);
}

bool lb_ibft_configure(const struct lb_ibft *ibft, struct lb_config *config,
                       struct lb_error *error) {
    const struct lb_ibft_target *target = lb_ibft_boot_target(ibft);
    const struct lb_ibft_nic *nic = target ? lb_ibft_nic_of(ibft, target) : NULL;
    if (!target) {
        lb_fail(error, LB_E_IBFT, "none of its %u valid targets is boot-selected",
                (unsigned)ibft->target_count);
        return false;
    }
    if (!nic) {
        lb_fail(error, LB_E_IBFT, "target %u is reached by NIC %u, which is not in the table",
                target->index, target->nic);
        return false;
    }
    return set_all(ibft, target, nic, config, error);
}

/* ---- whether it is enough -------------------------------------------------------------------- */

/* By a source above the table. */
static bool names_a_disk(const struct lb_config *config) {
    static const enum lb_key keys[] = {LB_KEY_ROOTPATH, LB_KEY_TARGET, LB_KEY_SERVER};
    for (size_t i = 0; i < LB_COUNT(keys); i++) {
        if (lb_config_source(config, keys[i]) > LB_SOURCE_IBFT)
            return true;
    }
    return false;
}

static bool is_forbidden(const struct lb_config *config) {
    return lb_config_is_set(config, LB_KEY_ENABLE) && !lb_config_bool(config, LB_KEY_ENABLE);
}

static bool check_vlan(const struct lb_ibft *ibft, const struct lb_config *config,
                       struct lb_error *error) {
    const struct lb_ibft_target *target = lb_ibft_boot_target(ibft);
    const struct lb_ibft_nic *nic = target ? lb_ibft_nic_of(ibft, target) : NULL;
    if (!nic || nic->vlan == 0 || lb_config_is_set(config, LB_KEY_INTERFACE))
        return true;
    lb_fail(error, LB_E_IBFT, "its NIC %s is on VLAN %u, and lunboot makes no VLAN interface",
            lb_mac_text(nic->mac).s, nic->vlan);
    return false;
}

bool lb_ibft_is_enough(enum lb_ibft_found found, const struct lb_ibft *ibft, bool is_asked_for,
                       const struct lb_config *config, struct lb_error *error) {
    bool is_needed = found == LB_IBFT_READ_WELL || found == LB_IBFT_OURS_BROKEN;
    if (is_forbidden(config) || (!is_needed && names_a_disk(config))) {
        lb_error_clear(error);
        return true;
    }
    if (found == LB_IBFT_READ_WELL)
        return check_vlan(ibft, config, error);
    if (found == LB_IBFT_OURS_BROKEN)
        lb_fail(error, LB_E_IBFT,
                "that of lunboot.efi: its checksum, a length or a value is wrong; lunboot.ibft=no "
                "boots without what it required");
    else if (found == LB_IBFT_BROKEN)
        lb_fail(error, LB_E_IBFT, "its checksum, a length or a value is wrong");
    else if (is_asked_for && !lb_config_bool(config, LB_KEY_ENABLE))
        lb_fail(error, LB_E_NO_IBFT,
                "neither in sys/firmware/acpi/tables nor in sys/firmware/ibft");
    return lb_is_ok(error);
}
