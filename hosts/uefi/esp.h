/* What IPsec needs to know of frames and packets: where ESP is in a frame, and what must not pass
 * in clear. Tested on Linux: test_esp.c. */
#ifndef LB_UEFI_ESP_H
#define LB_UEFI_ESP_H

#include "core/base/addr.h"

#define ESP_GUARDS_MAX 16 /* the target, iSNS and SLP, and those that a boot fails over to */

enum { ESP_TCP = 6, ESP_UDP = 17 }; /* protocols */

/* Ports of peers, to and from which nothing passes in clear. All zeros: none. */
struct esp_guards {
    struct {
        struct lb_endpoint peer;
        uint8_t protocol;
    } all[ESP_GUARDS_MAX];
    size_t count;
};

/* From now on. False: there is no room, and peer must not be spoken to at all. */
bool esp_guard(struct esp_guards *guards, uint8_t protocol, struct lb_endpoint peer);
/* Whether it is one of them. */
bool esp_is_guarded(const struct esp_guards *guards, uint8_t protocol, struct lb_endpoint peer);
/* Whether an IP packet of our own, which has no extension headers before its ports, is to one. */
bool esp_guards_packet(const struct esp_guards *guards, struct lb_bytes packet);

/* The ESP in a received Ethernet frame without tags (RFC 3948: UDP port 4500, and no four zeros,
 * which are IKE's), and who says that it is from him. Empty: there is none. What protects it, and
 * no checksum, says that it is whole. */
struct lb_span esp_of_frame(struct lb_span frame, struct lb_endpoint *from);
/* The IP packet that came out of that ESP, within the frame's memory, as a frame of the same
 * sender. */
struct lb_span esp_frame_of(struct lb_span frame, struct lb_bytes packet);

#endif
