/* A resolv.conf. */
#include "hosts/linux/names.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_boot_machine machine = {.dns_count = 0};
    lb_names_resolv_conf(lb_bytes(data, size), &machine);
    lb_assert(machine.dns_count <= LB_COUNT(machine.dns));
    for (size_t i = 0; i < machine.dns_count; i++)
        lb_assert(lb_addr_is_set(machine.dns[i]));
    lb_assert(lb_strlen(machine.search) < sizeof(machine.search));
    return 0;
}
