/* What the kernel says: the first byte chooses an event of a device, a line of /proc/net/netlink,
 * udp, tcp or unix, messages of rtnetlink or of XFRM. */
#include "hosts/linux/ike_names.h"
#include "hosts/linux/ike_watch.h"
#include "hosts/linux/keeper.h"
#include "hosts/linux/uevent.h"
#include "hosts/linux/xfrm_wire.h"
#include "os/linux/netlink.h"
#include "tests/fuzz.h"
#include <string.h>

static void take_event(struct lb_bytes bytes) {
    struct lb_uevent event;
    if (!lb_uevent_decode(bytes, &event))
        return;
    lb_assert(event.action[0] && event.path[0]);
    if (lb_uevent_is_disk(&event, 1, 2, 3))
        lb_assert(event.name[0] && strstr(event.path, "/session1/"));
}

static void take_messages(struct lb_bytes bytes) {
    struct lb_link link = {0};
    uint32_t flags = 0;
    (void)lb_netlink_read(bytes, 1, &link, &flags);
}

static void take_answers(struct lb_bytes bytes) {
    struct lb_xfrm_answer answer = lb_xfrm_read(bytes, 7);
    lb_assert(answer.refused >= 0);
    lb_assert(answer.is_over || answer.refused == 0);
    (void)lb_xfrm_read_taken(bytes);
}

static void take_name(struct lb_bytes bytes) {
    struct lb_ike_name name;
    char text[LB_IKE_NAME_MAX];
    if (!lb_ike_names_read(bytes, &name, text))
        return;
    lb_assert(strlen(text) < sizeof(text) - 1);
    lb_assert(lb_addr_is_set(name.local) && lb_addr_is_set(name.remote));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_bytes bytes = lb_bytes_after(lb_bytes(data, size), 1);
    switch (size > 0 ? data[0] : 0) {
    case 'e':
        take_event(bytes);
        break;
    case 'i':
        take_name(bytes);
        break;
    case 'n':
        take_messages(bytes);
        break;
    case 'x':
        take_answers(bytes);
        break;
    case 'u':
        (void)lb_ike_watch_is_daemon(bytes);
        break;
    case 't':
        (void)lb_ike_watch_is_speaker(bytes, (struct lb_endpoint){lb_addr_v4(192, 0, 2, 1), 3260});
        break;
    default:
        (void)lb_keeper_has_other(bytes, 7);
    }
    return 0;
}
