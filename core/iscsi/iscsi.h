/* iSCSI (RFC 7143, with 7144), as both ends share it. Start here.
 *
 *   iscsi_wire    a PDU: its header to bytes and back
 *   iscsi_text    key=value pairs: what logins and text requests consist of
 *   iscsi_stream  framing: where received bytes go, digests, what is sent next
 *
 * The session of a client is core/initiator, the disk over it core/disk; the sessions of a server
 * are core/target. */
#ifndef LB_ISCSI_H
#define LB_ISCSI_H

#include "core/iscsi/iscsi_stream.h"
#include "core/iscsi/iscsi_text.h"
#include "core/iscsi/iscsi_wire.h"

/* Least staging room for received PDUs, in bytes: a login PDU with 8192 bytes of data, and AHS. */
#define LB_ISCSI_RX_MIN 16384

/* What one end says to HeaderDigest and DataDigest (RFC 7143 13.1). */
enum lb_digest_want {
    LB_DIGEST_NONE,   /* offer None alone */
    LB_DIGEST_PREFER, /* offer CRC32C,None */
    LB_DIGEST_CRC32C, /* offer CRC32C alone: the login fails without it */
};

#endif
