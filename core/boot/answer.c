#include "core/boot/answer.h"

struct lb_boot_answer lb_answer_of_lease4(const struct lb_dhcp4_lease *lease) {
    struct lb_boot_answer answer = {
        .family = LB_V4,
        .root_path = lb_bytes(lease->root_path, lease->root_path_len),
        .root_path_option = 17,
        .initiator = lease->initiator,
        .elsewhere = lease->elsewhere,
        .elsewhere_text = lease->elsewhere_text,
    };
    lb_format(answer.from, sizeof answer.from, "DHCP server %s", lb_addr_text(lease->server).s);
    lb_format(answer.root_path_from, sizeof answer.root_path_from, "DHCP server %s",
              lb_addr_text(lease->root_path_from).s);
    return answer;
}

/* RFC 5970 5 has one option for the URLs of every kind of boot: one that is not iSCSI's is somebody
 * else's, and says nothing. */
struct lb_boot_answer lb_answer_of_lease6(const struct lb_dhcp6_lease *lease) {
    struct lb_boot_answer answer = {
        .family = LB_V6,
        .root_path_option = 59,
        .root_path_flags = LB_ROOTPATH_URI,
        .elsewhere = lease->elsewhere,
        .elsewhere_text = lease->elsewhere_text,
    };
    struct lb_bytes url = lb_bytes(lease->root_path, lease->root_path_len);
    if (lb_rootpath_is_iscsi(url, LB_ROOTPATH_URI))
        answer.root_path = url;
    else
        answer.other_url = url;
    lb_format(answer.from, sizeof answer.from, "DHCPv6 server %s", lb_addr_text(lease->server).s);
    memcpy(answer.root_path_from, answer.from, sizeof answer.from);
    return answer;
}

struct lb_boot_answer lb_answer_of_routers6(const struct lb_nd6_info *info) {
    struct lb_boot_answer answer = {.family = LB_V6};
    if (info->router_count > 0)
        lb_format(answer.from, sizeof answer.from, "router %s",
                  lb_addr_text(info->routers[0].addr).s);
    else
        lb_format(answer.from, sizeof answer.from, "IPv6 routers");
    memcpy(answer.root_path_from, answer.from, sizeof answer.from);
    return answer;
}
