/* iSNSP messages: struct <-> bytes. RFC 4171 5 and 6.
 *
 * A message is one PDU or several: their payloads, joined, are a status (in answers) and
 * attributes, each a tag, a length and a value; an attribute may lie across PDUs. lb_isns_writer
 * makes PDUs of what is put into it; lb_isns_reader takes a stream apart, wherever it is cut,
 * holding no more than one value at a time. */
#ifndef LB_ISNS_WIRE_H
#define LB_ISNS_WIRE_H

#include "core/isns/isns.h"
#include "core/names/rootpath.h"

#define LB_ISNS_HEADER_BYTES 12
#define LB_ISNS_PDU_MAX      65532 /* payload: the largest multiple of 4 that the length can say */
#define LB_ISNS_VALUE_MAX    256 /* the longest value of an attribute that we read: RFC 4171 6.1 */
#define LB_ISNS_MESSAGE_MAX  (16u << 20) /* payload of one message: 100,000 targets with portals */

enum lb_isns_function { /* an answer's is that of its request with LB_ISNS_ANSWER */
                        LB_ISNS_DEV_ATTR_REG = 1,
                        LB_ISNS_DEV_ATTR_QRY = 2,
                        LB_ISNS_DEV_GET_NEXT = 3,
                        LB_ISNS_DEV_DEREG = 4,
                        LB_ISNS_SCN_REG = 5,
                        LB_ISNS_SCN_DEREG = 6,
                        LB_ISNS_SCN_EVENT = 7,
                        LB_ISNS_SCN = 8,
                        LB_ISNS_DD_REG = 9,
                        LB_ISNS_DD_DEREG = 0xa,
                        LB_ISNS_DDS_REG = 0xb,
                        LB_ISNS_DDS_DEREG = 0xc,
                        LB_ISNS_ESI = 0xd,
                        LB_ISNS_HEARTBEAT = 0xe,
                        LB_ISNS_ANSWER = 0x8000,
};

enum lb_isns_flag {
    LB_ISNS_FROM_CLIENT = 0x8000,
    LB_ISNS_FROM_SERVER = 0x4000,
    LB_ISNS_SIGNED = 0x2000, /* an authentication block follows the payload */
    LB_ISNS_REPLACE = 0x1000,
    LB_ISNS_LAST_PDU = 0x0800,
    LB_ISNS_FIRST_PDU = 0x0400,
};

enum lb_isns_status { /* RFC 4171 5.4 */
                      LB_ISNS_OK = 0,
                      LB_ISNS_UNKNOWN_ERROR = 1,
                      LB_ISNS_FORMAT_ERROR = 2,
                      LB_ISNS_INVALID_REGISTRATION = 3,
                      LB_ISNS_INVALID_QUERY = 5,
                      LB_ISNS_SOURCE_UNKNOWN = 6,
                      LB_ISNS_SOURCE_ABSENT = 7,
                      LB_ISNS_SOURCE_UNAUTHORIZED = 8,
                      LB_ISNS_NO_SUCH_ENTRY = 9,
                      LB_ISNS_VERSION_UNSUPPORTED = 10,
                      LB_ISNS_INTERNAL_ERROR = 11,
                      LB_ISNS_BUSY = 12,
                      LB_ISNS_OPTION_UNKNOWN = 13,
                      LB_ISNS_INVALID_UPDATE = 14,
                      LB_ISNS_MESSAGE_UNSUPPORTED = 15,
                      LB_ISNS_ATTRIBUTE_UNSUPPORTED = 18,
                      LB_ISNS_INVALID_DEREGISTRATION = 22,
                      LB_ISNS_FEATURE_UNSUPPORTED = 23,
};
const char *lb_isns_status_word(uint32_t status); /* "source unknown", ... */

enum lb_isns_tag {
    LB_ISNS_DELIMITER = 0,
    LB_ISNS_ENTITY = 1,
    LB_ISNS_ENTITY_PROTOCOL = 2, /* 2: iSCSI */
    LB_ISNS_TIMESTAMP = 4,
    LB_ISNS_REGISTRATION_PERIOD = 6,
    LB_ISNS_PORTAL_ADDRESS = 16,
    LB_ISNS_PORTAL_PORT = 17,
    LB_ISNS_PORTAL_SECURITY = 27,
    LB_ISNS_NAME = 32,
    LB_ISNS_NODE_TYPE = 33,
    LB_ISNS_ALIAS = 34,
    LB_ISNS_GROUP_NAME = 48,
    LB_ISNS_GROUP_ADDRESS = 49,
    LB_ISNS_GROUP_PORT = 50,
    LB_ISNS_GROUP_TAG = 51,
    LB_ISNS_DOMAIN_ID = 2065,
    LB_ISNS_DOMAIN_NAME = 2066,
    LB_ISNS_DOMAIN_MEMBER = 2068,
    LB_ISNS_DOMAIN_FEATURES = 2078, /* bit 0: boot list enabled */
};

enum lb_isns_node_type { LB_ISNS_TARGET = 1, LB_ISNS_INITIATOR = 2, LB_ISNS_CONTROL = 4 };
enum { LB_ISNS_PROTOCOL_ISCSI = 2, LB_ISNS_BOOT_LIST = 1, LB_ISNS_PORT_IS_UDP = 0x10000 };

struct lb_isns_header {
    uint16_t function, length, flags, xid, sequence; /* length: of the payload, in bytes */
};

/* bytes: LB_ISNS_HEADER_BYTES. False, and *why is a phrase, for what cannot be the header of a PDU
 * over TCP or UDP unicast: another version, a length that is no multiple of 4, an authentication
 * block. Who sent it does not count: some give back the flags of the request. */
bool lb_isns_header_decode(struct lb_bytes bytes, struct lb_isns_header *header, const char **why);

/* ---- values ----------------------------------------------------------------------------------
 * Each reads the value of an attribute; false when its length or form is not that of the type. */

struct lb_isns_attribute {
    uint32_t tag, len;     /* len as on the wire, padding included */
    struct lb_bytes value; /* the first LB_ISNS_VALUE_MAX bytes of it */
};

/* An attribute of 4 bytes; false, and *value untouched, when it is of another length. */
bool lb_isns_value_u32(struct lb_isns_attribute attribute, uint32_t *value);
/* Up to the first NUL, or to its end; false where nothing was sent. */
bool lb_isns_value_text(struct lb_isns_attribute attribute, struct lb_bytes *text);
/* An iSCSI name, as it is on the wire: as lb_isns_name takes it. */
bool lb_isns_value_name(struct lb_isns_attribute attribute, char name[LB_NAME_MAX + 1]);
/* 16 bytes; an IPv4-mapped one is IPv4. */
bool lb_isns_value_address(struct lb_isns_attribute attribute, struct lb_addr *addr);
/* A port of 0 is the canonical one, 3260 (RFC 4171 6.3.2). */
bool lb_isns_value_port(struct lb_isns_attribute attribute, uint16_t *port, bool *is_udp);

/* ---- writing --------------------------------------------------------------------------------- */

struct lb_isns_writer {
    struct lb_wr wr;
    size_t pdu_at;  /* where the PDU under way begins */
    size_t pdu_max; /* of payload; a multiple of 4 */
    uint16_t function, flags, xid, sequence;
};

/* Begins a message. pdu_max 0: LB_ISNS_PDU_MAX. flags: the sender, and LB_ISNS_REPLACE. */
struct lb_isns_writer lb_isns_writer(struct lb_span room, size_t pdu_max, uint16_t function,
                                     uint16_t flags, uint16_t xid);
/* The status code with which each response begins. */
void lb_isns_put_status(struct lb_isns_writer *writer, uint32_t status);
void lb_isns_put(struct lb_isns_writer *writer, uint32_t tag, struct lb_bytes value); /* padded */
/* A tag with a value of no bytes: the delimiter, or an attribute that is asked for. */
void lb_isns_put_empty(struct lb_isns_writer *writer, uint32_t tag);
/* An attribute of 4 bytes. */
void lb_isns_put_u32(struct lb_isns_writer *writer, uint32_t tag, uint32_t value);
/* Text with its NUL; padded to a multiple of 4 bytes, as all values are. */
void lb_isns_put_text(struct lb_isns_writer *writer, uint32_t tag, const char *text);
/* 16 bytes; an IPv4 address is written as ::ffff:a.b.c.d (RFC 4171 6.3.1). */
void lb_isns_put_address(struct lb_isns_writer *writer, uint32_t tag, struct lb_addr addr);
/* The message; empty when it did not fit. */
struct lb_bytes lb_isns_written(struct lb_isns_writer *writer);

/* ---- reading --------------------------------------------------------------------------------- */

enum lb_isns_read {
    LB_ISNS_READ_MORE,      /* the input is used up */
    LB_ISNS_READ_MESSAGE,   /* a message begins: header, and status where it is an answer */
    LB_ISNS_READ_ATTRIBUTE, /* attribute; its value is valid until the next call */
    LB_ISNS_READ_END,       /* the message is complete */
    LB_ISNS_READ_BROKEN,    /* the stream cannot be read on; see why */
};

enum lb_isns_reader_phase { /* within the content of a message */
                            LB_ISNS_IN_STATUS,
                            LB_ISNS_IN_TAG, /* and length */
                            LB_ISNS_IN_VALUE,
                            LB_ISNS_IN_NOTHING, /* broken */
};

struct lb_isns_reader {
    struct lb_isns_header header; /* of the message's first PDU */
    uint32_t status;              /* of an answer */
    struct lb_isns_attribute attribute;
    const char *why;
    uint64_t message_bytes; /* of payload, so far */

    /* The reader's own. */
    enum lb_isns_reader_phase phase;
    bool in_message, in_pdu, is_last;
    uint32_t sequence; /* of the next PDU */
    size_t pdu_left;   /* payload of this PDU still to come */
    size_t head_len, field_len, value_got;
    uint8_t head[LB_ISNS_HEADER_BYTES]; /* a header under way */
    uint8_t field[8];                   /* a status, or a tag and length, under way */
    uint8_t value[LB_ISNS_VALUE_MAX];
};

/* Begins with the tag of the first attribute. */
void lb_isns_reader_init(struct lb_isns_reader *reader);
/* Takes what it needs off *input. */
enum lb_isns_read lb_isns_reader_next(struct lb_isns_reader *reader, struct lb_bytes *input);

/* Any name that lb_iscsi_name_parse takes with LB_ROOTPATH_ANY_NAMES, as it is. False: none. */
bool lb_isns_name(struct lb_bytes text, char name[LB_NAME_MAX + 1]);

#endif
