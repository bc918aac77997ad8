/* The byte stream of one iSCSI connection, for both ends: PDUs in, PDUs out, digests.
 *
 * Receiving. where() gives up to two spans for one readv. While a PDU's header is awaited it is the
 * staging buffer, and one read may bring many PDUs. When a header has been read, its owner says where
 * the data segment goes (`place`): what is already staged is copied there, and the rest is received
 * straight into it, with the staging buffer as the second span for what follows. Any split of the
 * stream gives the same result. Data, padding and digests are consumed here; CRC32C is computed as
 * bytes come.
 *
 * Sending. A PDU is queued as a header (copied into a ring here) and a data piece (not copied, the
 * caller's memory until it is sent, or until reset). gather() gives the pieces for one writev.
 *
 * Used by: iscsi_session.c (initiator), iscsi_target.c. */
#ifndef LB_ISCSI_STREAM_H
#define LB_ISCSI_STREAM_H

#include "core/base/bytes.h"

#define LB_ISCSI_BHS 48

/* To be completed by its author: see the text above and iscsi.h. */

#endif
