#include "hosts/linux/ibft_source.h"
#include "core/crypto/crypto.h"
#include "core/rootpath/rootpath.h"
#include "hosts/linux/machine.h"
#include <stdio.h>
#include <string.h>

#define TABLE "sys/firmware/acpi/tables/iBFT"

bool lb_ibft_read(const char *root, struct lb_ibft *ibft) {
    uint8_t table[LB_IBFT_MAX + 1];
    char path[256];
    long len;

    snprintf(path, sizeof(path), "%s/%s", root, TABLE);
    len = lb_machine_read_file(path, lb_span(table, sizeof(table)));
    bool good = len > 0 && lb_ibft_decode(lb_bytes(table, (size_t)len), ibft);
    lb_wipe(table, sizeof(table));
    return good;
}

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

static void set_nic(const struct lb_ibft_nic *nic, struct lb_config *config,
                    struct lb_error *error) {
    set_text(config, "hostname", nic->hostname, error);
    /* A leased address is asked for again: whoever has the interface next needs to know its time.
     */
    if (nic->origin == LB_IBFT_DHCP || nic->origin == LB_IBFT_ROUTER || lb_addr_is_set(nic->dhcp) ||
        !lb_addr_is_set(nic->address))
        return;
    struct lb_prefix address = {.addr = nic->address, .len = nic->prefix_len};
    set_text(config, "address", lb_prefix_text(address).s, error);
    set_addr(config, "gateway", nic->gateway, error);
    set_addr(config, "dns", nic->dns[0], error);
}

bool lb_ibft_configure(const struct lb_ibft *ibft, struct lb_config *config,
                       struct lb_error *error) {
    const struct lb_ibft_target *target = &ibft->targets[0];
    set_text(config, "enable", "yes", error);
    set_text(config, "initiator", ibft->initiator, error);
    set_target(target, config, error);
    lb_format(config->table.target, sizeof(config->table.target), "%s", target->name);
    config->table.chap = target->chap != LB_IBFT_NO_CHAP;
    config->table.mutual = target->chap == LB_IBFT_MUTUAL;
    set_nic(&ibft->nics[target->nic], config, error);
    return lb_is_ok(error);
}
