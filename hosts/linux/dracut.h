/* The words of a kernel command line by which dracut and Debian's open-iscsi are told of a network
 * disk (dracut.cmdline(7), open-iscsi's README.Debian), so that an installation that has them needs
 * nothing changed but the package:
 *
 *   netroot=iscsi:[USER:PASSWORD[:USER:PASSWORD]@][SERVER]:[6]:[PORT]
 *           [:[IFACE]:[NETDEV]]:[LUN]:TARGET
 *   netroot=iscsi  root=iscsi:...  rd.iscsi.firmware=1  rd.iscsi.ibft=1  iscsi_auto  ip=ibft
 *   rd.iscsi.initiator= .target.name= .target.ip= .target.port= .username= .password= .in.username=
 *   .in.password=, the same as iscsi_initiator= and so on
 *   ip=METHOD  ip=IFACE:METHOD[:MTU]
 *   ip=ADDRESS:PEER:GATEWAY:NETMASK:HOSTNAME:IFACE:METHOD[:MTU|:DNS1[:DNS2]]
 *   nameserver=  BOOTIF=01-xx-xx-xx-xx-xx-xx  bootdev=IFACE */
#ifndef LB_LINUX_DRACUT_H
#define LB_LINUX_DRACUT_H

#include "core/base/config.h"

/* Sets what the words say, with source LB_SOURCE_KERNEL. A disk that is asked for sets `enable`:
 * who may write the kernel's command line may say so. The words that ask for the firmware's table
 * set nothing, for it is the table that enables: lb_dracut_wants_ibft. Unknown words are somebody
 * else's. False: *error names the word that is wrong. */
bool lb_dracut_configure(struct lb_bytes cmdline, struct lb_config *config, struct lb_error *error);
/* Whether a word asks for the firmware's table: rd.iscsi.firmware, rd.iscsi.ibft, iscsi_auto,
 * ip=ibft. The last of them counts. */
bool lb_dracut_wants_ibft(struct lb_bytes cmdline);

#endif
