/* A UDP payload. What was read is within its bounds and fit to be shown. */
#include "core/dhcp6/dhcp6_wire.h"
#include "tests/fuzz.h"

static void check_lease(const struct lb_dhcp6_lease *lease) {
    lb_assert(lease->root_path_len <= sizeof lease->root_path);
    lb_assert(lease->boot_params_len <= sizeof lease->boot_params);
    lb_assert(lease->vendor_options_len <= sizeof lease->vendor_options);
    lb_assert(lease->server_id.len <= LB_DUID_MAX);
    lb_assert(lease->dns_count <= LB_DNS_MAX);
    for (size_t i = 0; i < lease->dns_count; i++)
        lb_assert(lb_addr_is_host(lease->dns[i]));
    size_t len = lb_strlen(lease->search);
    lb_assert(len <= LB_SEARCH_MAX);
    for (size_t i = 0; i < len; i++)
        lb_assert((uint8_t)lease->search[i] >= 0x20 && (uint8_t)lease->search[i] < 0x7f);
}

/* Written and read again, an IA is the same. */
static void check_ia(const struct lb_dhcp6_ia *ia) {
    uint8_t room[400];
    struct lb_dhcp6_ia again;
    struct lb_wr wr = lb_wr(lb_span(room, sizeof room));
    lb_assert(ia->addr_count <= LB_DHCP6_ADDRS_MAX);
    size_t opened = lb_dhcp6_open_ia(&wr, ia->iaid, ia->t1_s, ia->t2_s);
    for (size_t i = 0; i < ia->addr_count; i++)
        lb_dhcp6_put_iaaddr(&wr, ia->addrs[i].addr, ia->addrs[i].preferred_s, ia->addrs[i].valid_s);
    lb_dhcp6_close(&wr, opened);
    lb_assert(lb_dhcp6_find_ia(lb_wr_done(&wr), ia->iaid, &again));
    lb_assert(again.addr_count == ia->addr_count && again.t1_s == ia->t1_s);
    for (size_t i = 0; i < ia->addr_count; i++)
        lb_assert(lb_addr_equal(again.addrs[i].addr, ia->addrs[i].addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct lb_dhcp6_lease lease;
    struct lb_dhcp6_message message;
    struct lb_dhcp6_key key = {0};
    struct lb_dhcp6_ia ia;
    struct lb_bytes value;
    const char *why = NULL;
    uint16_t code;
    if (!lb_dhcp6_decode(lb_bytes(data, size), &message, &why)) {
        lb_assert(why != NULL);
        return 0;
    }
    lb_dhcp6_read_lease(&message, (struct lb_addr){0}, &lease);
    check_lease(&lease);
    for (struct lb_rd rd = lb_rd(message.options); lb_dhcp6_next(&rd, &code, &value);) {
        if (code == LB_OPT6_IA_NA && lb_dhcp6_read_ia(value, &ia))
            check_ia(&ia);
    }
    struct lb_dhcp6_proof proof;
    const char keys[] = "1:0123456789abcdef,2@boot.example:another-secret";
    why = lb_dhcp6_check_auth(&message, lb_bytes_of_text(keys), &proof);
    lb_assert(why != NULL || (proof.key_id == 2 && lb_dhcp6_asks_auth(&message)));
    lb_dhcp6_take_key(&message, &key);
    lb_dhcp6_is_authentic(&message, &key);
    return 0;
}
