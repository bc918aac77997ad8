/* SLP messages and their strings: struct <-> bytes. No state. RFC 2608, RFC 3111.
 *
 * Strings of a message are not copied: they point into it. Those of a message that was decoded are
 * UTF-8 (RFC 2608 6), URLs of entries excepted: these are told apart one by one. */
#ifndef LB_SLP_WIRE_H
#define LB_SLP_WIRE_H

#include "core/slp/slp.h"

#define LB_SLP_HEADER_BYTES 14 /* up to the language tag */
#define LB_SLP_LANGUAGE_MAX 64 /* bytes of a language tag; RFC 1766 tags have a dozen */
#define LB_SLP_COUNT_BYTES  4  /* of SrvRply: error code and count, before the entries */

#define LB_SLP_TYPE_TARGET    "service:iscsi:target"
#define LB_SLP_TYPE_SMS       "service:iscsi:sms"
#define LB_SLP_TYPE_DIRECTORY "service:directory-agent"
#define LB_SLP_TYPE_SERVICE   "service:service-agent"

enum lb_slp_function {
    LB_SLP_SRV_RQST = 1,
    LB_SLP_SRV_RPLY = 2,
    LB_SLP_SRV_REG = 3,
    LB_SLP_SRV_DEREG = 4,
    LB_SLP_SRV_ACK = 5,
    LB_SLP_ATTR_RQST = 6,
    LB_SLP_ATTR_RPLY = 7,
    LB_SLP_DA_ADVERT = 8,
    LB_SLP_SRV_TYPE_RQST = 9,
    LB_SLP_SRV_TYPE_RPLY = 10,
    LB_SLP_SA_ADVERT = 11,
};
const char *lb_slp_function_word(unsigned function); /* "SrvRqst", ...; "unknown" */

enum lb_slp_flag { LB_SLP_OVERFLOW = 0x8000, LB_SLP_FRESH = 0x4000, LB_SLP_MCAST = 0x2000 };

enum lb_slp_code { /* RFC 2608 7 */
                   LB_SLP_OK = 0,
                   LB_SLP_LANGUAGE_NOT_SUPPORTED = 1,
                   LB_SLP_PARSE_ERROR = 2,
                   LB_SLP_INVALID_REGISTRATION = 3,
                   LB_SLP_SCOPE_NOT_SUPPORTED = 4,
                   LB_SLP_AUTHENTICATION_UNKNOWN = 5,
                   LB_SLP_AUTHENTICATION_ABSENT = 6,
                   LB_SLP_AUTHENTICATION_FAILED = 7,
                   LB_SLP_VERSION_NOT_SUPPORTED = 9,
                   LB_SLP_INTERNAL_ERROR = 10,
                   LB_SLP_BUSY = 11,
                   LB_SLP_OPTION_NOT_UNDERSTOOD = 12,
                   LB_SLP_INVALID_UPDATE = 13,
                   LB_SLP_MESSAGE_NOT_SUPPORTED = 14,
                   LB_SLP_REFRESH_REJECTED = 15,
};
const char *lb_slp_code_word(unsigned code); /* RFC 2608's, such as "SCOPE_NOT_SUPPORTED" */

/* ---- bytes -> struct ---- */

struct lb_slp_header {
    uint8_t function;
    uint16_t flags; /* enum lb_slp_flag, or-ed */
    uint16_t xid;
    uint32_t length;          /* of the whole message */
    uint32_t extension;       /* offset of the first one; 0: none */
    struct lb_bytes language; /* its tag */
    bool must_understand; /* there is an extension that has to be understood (9.1), and is not */
};

/* The header at the start of a message that may not have come whole. MORE: neither has the header.
 * BAD: version, length, extension offset or language tag cannot be; *why is then a phrase. */
enum lb_slp_peek { LB_SLP_PEEK_MORE, LB_SLP_PEEK_GOOD, LB_SLP_PEEK_BAD };
/* Looks at the start of a message: its header, that it needs more, or why it is none. */
enum lb_slp_peek lb_slp_peek(struct lb_bytes start, struct lb_slp_header *header, const char **why);

/* A whole message: header, and where its body is. False when the header is bad, says another length
 * than there is, or its extensions run past the end or in circles; *why is then a phrase. */
bool lb_slp_decode(struct lb_bytes message, struct lb_slp_header *header, struct lb_bytes *body,
                   const char **why);

/* SrvRqst, and AttrRqst, which is laid out alike. */
struct lb_slp_request {
    struct lb_bytes responders; /* PRList */
    struct lb_bytes type;       /* service type; of AttrRqst: URL or service type */
    struct lb_bytes scopes;
    struct lb_bytes predicate; /* of AttrRqst: tag list */
    struct lb_bytes spi;
};

struct lb_slp_entry {
    uint16_t lifetime_s;
    struct lb_bytes url; /* its authentication blocks are passed over */
};

struct lb_slp_da_advert {
    uint16_t error; /* if not 0, nothing else is set */
    uint32_t boot_s;
    struct lb_bytes url, scopes, attributes, spis;
};

struct lb_slp_sa_advert {
    struct lb_bytes url, scopes, attributes;
};

struct lb_slp_attr_reply {
    uint16_t error; /* if not 0, nothing else is set */
    struct lb_bytes attributes;
};

struct lb_slp_reg { /* SrvReg; of SrvDeReg: entry, scopes, and attributes are tags */
    struct lb_slp_entry entry;
    struct lb_bytes type, scopes, attributes;
};

/* Each: false, and the output untouched, when the body is not one, has bytes behind its end, or its
 * strings are not UTF-8. */
bool lb_slp_decode_request(struct lb_bytes body, struct lb_slp_request *request);
/* With an error code the rest may be missing (RFC 2608 7). */
bool lb_slp_decode_da_advert(struct lb_bytes body, struct lb_slp_da_advert *advert);
/* An SA Advertisement: URL, scopes, attributes. */
bool lb_slp_decode_sa_advert(struct lb_bytes body, struct lb_slp_sa_advert *advert);
/* With an error code the rest may be missing. */
bool lb_slp_decode_attr_reply(struct lb_bytes body, struct lb_slp_attr_reply *reply);
/* A Service Registration; also false when the URL is no UTF-8. */
bool lb_slp_decode_reg(struct lb_bytes body, struct lb_slp_reg *reg);
/* A Service Deregistration: reg->type is empty, and attributes is the list of tags. */
bool lb_slp_decode_dereg(struct lb_bytes body, struct lb_slp_reg *reg);
/* A Service Acknowledgement: its error code. */
bool lb_slp_decode_ack(struct lb_bytes body, uint16_t *error);
/* The next URL entry; the cursor goes bad when it is not all there, or an authentication block is
 * shorter than its own header. */
struct lb_slp_entry lb_slp_rd_entry(struct lb_rd *rd);

/* ---- struct -> bytes ---- */

/* A message begins with its header and ends with lb_slp_finish, which sets its length and gives it;
 * empty when there was no room. */
void lb_slp_begin(struct lb_wr *wr, enum lb_slp_function function, unsigned flags, uint16_t xid,
                  struct lb_bytes language);
/* Fills in the length; gives the whole message, empty when it did not fit. */
struct lb_bytes lb_slp_finish(struct lb_wr *wr);
/* A string with its length; goes bad over 65535 bytes. */
void lb_slp_put(struct lb_wr *wr, struct lb_bytes string);
/* A NUL-terminated text with its length before it. */
void lb_slp_put_text(struct lb_wr *wr, const char *text);
/* The body of a Service Request. */
void lb_slp_put_request(struct lb_wr *wr, const struct lb_slp_request *request);
/* Without authentication blocks. */
void lb_slp_put_entry(struct lb_wr *wr, uint16_t lifetime_s, struct lb_bytes url);
/* Bytes of a URL entry on the wire, without authentication blocks. */
size_t lb_slp_entry_bytes(struct lb_bytes url);

/* ---- strings ---- */

/* Characters that stand for something in scope lists, filters and attributes become `\HH`. */
void lb_slp_escape(struct lb_text *text, struct lb_bytes value);
/* Decodes `\HH`. False when a backslash is not followed by two hex digits, or room is too small. */
bool lb_slp_unescape(struct lb_bytes value, struct lb_span room, size_t *len);
/* What is compared (RFC 2608 6.4): escapes decoded, ASCII in lower case, white space folded into
 * one blank, none at the ends. False as above. `keep_ends` leaves a blank there: for the pieces of
 * a substring match. */
bool lb_slp_fold(struct lb_bytes value, bool keep_ends, struct lb_span room, size_t *len);
/* Whether two texts are the same as RFC 2608 6.4 compares: ASCII case is ignored, and white space
 * folded. False when one is malformed. */
bool lb_slp_same(struct lb_bytes a, struct lb_bytes b);
/* Whether two scope lists have one in common. */
bool lb_slp_scopes_meet(struct lb_bytes a, struct lb_bytes b);
/* Whether an address stands in a previous responder list. */
bool lb_slp_is_listed(struct lb_bytes responders, struct lb_addr addr);
/* Takes the next attribute, `(tag=value,value)` or `tag`, off *list. False at the end, and when the
 * rest is malformed: *list is then not empty. A tag alone has values of no bytes, p NULL. */
bool lb_slp_attribute_next(struct lb_bytes *list, struct lb_bytes *tag, struct lb_bytes *values);
/* The values of the attribute with this tag; false when the list has none. */
bool lb_slp_attribute_find(struct lb_bytes list, const char *tag, struct lb_bytes *values);

/* The predicate of a query, empty for EVERYTHING. */
void lb_slp_predicate(struct lb_text *text, const struct lb_slp_config *config);
enum lb_slp_match { LB_SLP_MATCH_NO, LB_SLP_MATCH_YES, LB_SLP_MATCH_MALFORMED };
/* Whether a service with these attributes matches a filter (RFC 2608 8.1, RFC 2254): an empty
 * filter always does. */
enum lb_slp_match lb_slp_filter(struct lb_bytes filter, struct lb_bytes attributes);

/* Where a request goes by multicast: 239.255.255.253, or RFC 3111 4.1's group of its function and
 * service type. scope: 1 to 5, of IPv6. */
struct lb_addr lb_slp_group(enum lb_family family, enum lb_slp_function function, const char *type,
                            uint8_t scope);
/* The address in service:directory-agent://ADDR or service:service-agent://ADDR; none where it is
 * malformed or a name. */
struct lb_addr lb_slp_agent_url(struct lb_bytes url);

#endif
