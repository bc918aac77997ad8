/* What is looked at in an Ethernet frame before a stack has it. Tested on Linux: test_frame.c. */
#ifndef LB_UEFI_FRAME_H
#define LB_UEFI_FRAME_H

#include "core/base/addr.h"

#define FRAME_HEADER 14 /* bytes: two addresses and a type */
#define FRAME_MIN    60 /* of a frame on the wire, without FCS: IEEE 802.3 3.2.8 */

/* Takes away the tags of VLAN 0, which carry a priority and are of no VLAN (IEEE 802.1Q 6.9; Cisco
 * UCS sends them). Gives the new length; 0: the frame is another VLAN's, or cut. */
size_t frame_untag(uint8_t *frame, size_t len);

#endif
