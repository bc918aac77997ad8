/* The device path of the network disk behind that of its card: an IP node and an iSCSI node (UEFI
 * 2.10 10.3.4.12, 10.3.4.13 and 10.3.4.21). Bytes alone, no EFI types: tested on Linux. */
#ifndef LB_UEFI_PATH_ISCSI_H
#define LB_UEFI_PATH_ISCSI_H

#include "core/initiator/initiator.h"
#include "core/names/rootpath.h"
#include "hosts/uefi/local_end.h"

#define PATH_ISCSI_BYTES_MAX (60 + 18 + LB_NAME_MAX + 1 + 4) /* with the node that ends it */

/* Writes the nodes. peer is the session's, target says name and LUN, agreed what its login agreed
 * on. */
void path_iscsi_put(struct lb_wr *wr, struct lb_endpoint peer, const struct local_end *end,
                    const struct lb_rootpath *target, const struct lb_initiator_agreed *agreed);

#endif
