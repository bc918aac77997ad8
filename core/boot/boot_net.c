/* What is known of the network. */
#include "core/boot/boot_state.h"

struct lb_boot_answer lb_answer_of_lease4(const struct lb_dhcp4_lease *lease) {
    struct lb_boot_answer answer = {
        .family = LB_V4,
        .root_path = lb_bytes(lease->root_path, lease->root_path_len),
        .root_path_option = 17,
        .initiator = lease->initiator,
    };
    lb_format(answer.from, sizeof answer.from, "DHCP server %s", lb_addr_text(lease->server).s);
    lb_format(answer.root_path_from, sizeof answer.root_path_from, "DHCP server %s",
              lb_addr_text(lease->root_path_from).s);
    return answer;
}
