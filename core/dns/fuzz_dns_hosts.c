/* The name to look for, a line end, and then a hosts file. */
#include "core/dns/dns.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes file = lb_bytes(data, size), name = lb_bytes(data, 0);
    struct lb_addr addrs[2];
    char text[64];
    while (name.len < size && data[name.len] != '\n')
        name.len++;
    if (!lb_text_copy(text, sizeof text, name))
        return 0;
    size_t count = lb_dns_hosts_find(lb_bytes_after(file, name.len), text, addrs, LB_COUNT(addrs));
    lb_assert(count <= LB_COUNT(addrs));
    for (size_t i = 0; i < count; i++)
        lb_assert(lb_addr_is_set(addrs[i]));
    return 0;
}
