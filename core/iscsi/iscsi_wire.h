/* iSCSI PDUs: the 48 bytes of each Basic Header Segment <-> struct. RFC 7143 11. No state.
 *
 * One struct for all PDUs. What many have in common (tags, counters, LUN) stands in it once; what
 * one alone has is in the union, by opcode. A field that the PDU does not have is 0 after decoding
 * and is not looked at by encoding. Reserved bits are not looked at, and are written as 0. The
 * names are the RFC's. AHS and data segments follow the header in the stream (iscsi_stream.h). */
#ifndef LB_ISCSI_WIRE_H
#define LB_ISCSI_WIRE_H

#include "core/base/bytes.h"

#define LB_ISCSI_BHS_BYTES 48

#define LB_ISCSI_NO_TAG UINT32_C(0xffffffff) /* the reserved value of ITT and TTT */

enum lb_iscsi_opcode {
    LB_OP_NOP_OUT = 0x00,
    LB_OP_SCSI_COMMAND = 0x01,
    LB_OP_TMF_REQUEST = 0x02,
    LB_OP_LOGIN_REQUEST = 0x03,
    LB_OP_TEXT_REQUEST = 0x04,
    LB_OP_DATA_OUT = 0x05,
    LB_OP_LOGOUT_REQUEST = 0x06,
    LB_OP_SNACK = 0x10,
    LB_OP_NOP_IN = 0x20,
    LB_OP_SCSI_RESPONSE = 0x21,
    LB_OP_TMF_RESPONSE = 0x22,
    LB_OP_LOGIN_RESPONSE = 0x23,
    LB_OP_TEXT_RESPONSE = 0x24,
    LB_OP_DATA_IN = 0x25,
    LB_OP_LOGOUT_RESPONSE = 0x26,
    LB_OP_R2T = 0x31,
    LB_OP_ASYNC = 0x32,
    LB_OP_REJECT = 0x3f,
};

enum lb_iscsi_stage { /* CSG and NSG: 11.12.3 */
                      LB_LOGIN_STAGE_SECURITY = 0,
                      LB_LOGIN_STAGE_OPERATIONAL = 1,
                      LB_LOGIN_STAGE_FULL_FEATURE = 3,
};

enum lb_iscsi_tmf { /* 11.5.1 */
                    LB_TMF_ABORT_TASK = 1,
                    LB_TMF_ABORT_TASK_SET = 2,
                    LB_TMF_CLEAR_ACA = 3,
                    LB_TMF_CLEAR_TASK_SET = 4,
                    LB_TMF_LUN_RESET = 5,
                    LB_TMF_TARGET_WARM_RESET = 6,
                    LB_TMF_TARGET_COLD_RESET = 7,
                    LB_TMF_TASK_REASSIGN = 8,
};

enum lb_iscsi_tmf_response { /* 11.6.1 */
                             LB_TMF_COMPLETE = 0,
                             LB_TMF_NO_TASK = 1,
                             LB_TMF_NO_LUN = 2,
                             LB_TMF_STILL_ALLEGIANT = 3,
                             LB_TMF_NO_REASSIGNMENT = 4,
                             LB_TMF_NOT_SUPPORTED = 5,
                             LB_TMF_NOT_AUTHORISED = 6,
                             LB_TMF_REJECTED = 255,
};

enum lb_iscsi_logout_reason { /* 11.14.1 */
                              LB_LOGOUT_SESSION = 0,
                              LB_LOGOUT_CONNECTION = 1,
                              LB_LOGOUT_RECOVERY = 2,
};

enum lb_iscsi_async_event { /* 11.9.1 */
                            LB_ASYNC_SCSI = 0,
                            LB_ASYNC_LOGOUT_REQUEST = 1,
                            LB_ASYNC_CONNECTION_DROP = 2,
                            LB_ASYNC_SESSION_DROP = 3,
                            LB_ASYNC_NEGOTIATE = 4,
                            LB_ASYNC_TASKS_TERMINATED = 5,
};

enum lb_iscsi_reject_reason { /* 11.17.1 */
                              LB_REJECT_DATA_DIGEST = 0x02,
                              LB_REJECT_SNACK = 0x03,
                              LB_REJECT_PROTOCOL = 0x04,
                              LB_REJECT_NOT_SUPPORTED = 0x05,
                              LB_REJECT_IMMEDIATE = 0x06,
                              LB_REJECT_IN_PROGRESS = 0x07,
                              LB_REJECT_INVALID_ACK = 0x08,
                              LB_REJECT_FIELD = 0x09,
                              LB_REJECT_RESOURCES = 0x0a,
                              LB_REJECT_NEGOTIATION = 0x0b,
                              LB_REJECT_WAITING_LOGOUT = 0x0c,
};

enum lb_iscsi_login_status { /* 11.13.5: class in the upper byte, detail in the lower */
                             LB_LOGIN_OK = 0x0000,
                             LB_LOGIN_MOVED_TEMPORARILY = 0x0101,
                             LB_LOGIN_MOVED_PERMANENTLY = 0x0102,
                             LB_LOGIN_INITIATOR_ERROR = 0x0200,
                             LB_LOGIN_AUTH_FAILED = 0x0201,
                             LB_LOGIN_NOT_AUTHORISED = 0x0202,
                             LB_LOGIN_NOT_FOUND = 0x0203,
                             LB_LOGIN_REMOVED = 0x0204,
                             LB_LOGIN_VERSION = 0x0205,
                             LB_LOGIN_TOO_MANY_CONNECTIONS = 0x0206,
                             LB_LOGIN_MISSING_PARAMETER = 0x0207,
                             LB_LOGIN_CANNOT_INCLUDE = 0x0208,
                             LB_LOGIN_SESSION_TYPE = 0x0209,
                             LB_LOGIN_NO_SESSION = 0x020a,
                             LB_LOGIN_INVALID_DURING_LOGIN = 0x020b,
                             LB_LOGIN_TARGET_ERROR = 0x0300,
                             LB_LOGIN_UNAVAILABLE = 0x0301,
                             LB_LOGIN_NO_RESOURCES = 0x0302,
};

enum lb_iscsi_attr { /* 11.3.1 */
                     LB_ATTR_UNTAGGED = 0,
                     LB_ATTR_SIMPLE = 1,
                     LB_ATTR_ORDERED = 2,
                     LB_ATTR_HEAD_OF_QUEUE = 3,
                     LB_ATTR_ACA = 4,
};

struct lb_iscsi_pdu {
    enum lb_iscsi_opcode opcode; /* without the I bit */
    bool immediate;              /* I: an initiator's PDU that takes no CmdSN */
    bool final;                  /* byte 1, 0x80: F; T in login; always 1 where the RFC has a 1 */
    uint16_t ahs_len;            /* TotalAHSLength in bytes: 0..1020, a multiple of 4 */
    uint32_t data_len;           /* DataSegmentLength without the padding, 0..2^24-1 */
    uint8_t lun[8];              /* not in Login, Logout, SCSI/TMF Response, Reject */
    uint32_t itt;                /* Initiator Task Tag; R: Reject and Async carry LB_ISCSI_NO_TAG */
    uint32_t ttt;                /* NOP, Text, Data, R2T; SNACK: TTT or SNACK tag */
    uint32_t cmd_sn;             /* NOP-Out, SCSI Command, TMF/Login/Text/Logout Request */
    uint32_t exp_stat_sn;        /* every initiator's PDU */
    uint32_t stat_sn;            /* every target's PDU; of Data-In only with S, see there */
    uint32_t exp_cmd_sn;         /* every target's PDU */
    uint32_t max_cmd_sn;         /* every target's PDU */
    union {
        struct {
            bool read, write;
            enum lb_iscsi_attr attr; /* values 5..7 are reserved, and may come */
            uint32_t edtl;           /* Expected Data Transfer Length, bytes */
            uint8_t cdb[16];
        } command; /* 11.3 */
        struct {
            bool bidi_overflow, bidi_underflow, overflow, underflow; /* o u O U */
            uint8_t response;                                        /* 0: status is valid */
            uint8_t status;
            uint32_t snack_tag;
            uint32_t exp_data_sn;
            uint32_t bidi_residual, residual;
        } response; /* SCSI Response: 11.4 */
        struct {
            uint8_t function; /* enum lb_iscsi_tmf, or what came */
            uint32_t ref_task_tag, ref_cmd_sn, exp_data_sn;
        } tmf; /* 11.5 */
        struct {
            uint8_t response; /* enum lb_iscsi_tmf_response, or what came */
        } tmf_response;       /* 11.6 */
        struct {
            uint32_t data_sn, buffer_offset;
        } data_out; /* 11.7 */
        struct {
            bool acknowledge, overflow, underflow, has_status; /* A O U S */
            uint8_t status;                                    /* valid with S */
            uint32_t data_sn, buffer_offset, residual;
        } data_in; /* 11.7 */
        struct {
            uint32_t r2t_sn, buffer_offset, desired_len;
        } r2t; /* 11.8 */
        struct {
            uint8_t event; /* enum lb_iscsi_async_event, or what came */
            uint8_t vendor_code;
            uint16_t parameter1, parameter2, parameter3;
        } async; /* 11.9 */
        struct {
            bool more; /* C */
        } text;        /* Text Request and Response: 11.10, 11.11 */
        struct {
            bool more;        /* C */
            uint8_t csg, nsg; /* enum lb_iscsi_stage, or 2 */
            uint8_t version_max;
            uint8_t version_min; /* a response has Version-active here */
            uint8_t isid[6];
            uint16_t tsih;
            uint16_t cid;         /* request */
            uint8_t status_class; /* response */
            uint8_t status_detail;
        } login; /* Login Request and Response: 11.12, 11.13 */
        struct {
            uint8_t reason; /* enum lb_iscsi_logout_reason, or what came */
            uint16_t cid;
        } logout; /* 11.14 */
        struct {
            uint8_t response; /* 0: closed */
            uint16_t time2wait_s, time2retain_s;
        } logout_response; /* 11.15 */
        struct {
            uint8_t type;
            uint32_t beg_run, run_len;
        } snack; /* 11.16 */
        struct {
            uint8_t reason; /* enum lb_iscsi_reject_reason, or what came */
            uint32_t data_sn;
        } reject; /* 11.17 */
    };
};

/* False (and *pdu untouched) for an opcode that RFC 7143 does not have; vendor opcodes are among
 * these. Values are not judged here, with one exception: the lengths come as the struct says. */
bool lb_iscsi_decode(const uint8_t bhs[LB_ISCSI_BHS_BYTES], struct lb_iscsi_pdu *pdu);
/* The 48 bytes of the header. data_len must be under 2^24; ahs_len up to 1020 and a multiple of
 * 4. */
void lb_iscsi_encode(const struct lb_iscsi_pdu *pdu, uint8_t bhs[LB_ISCSI_BHS_BYTES]);

/* The two lengths alone, of any header, also of one with an unknown opcode. */
void lb_iscsi_lengths(const uint8_t bhs[LB_ISCSI_BHS_BYTES], uint16_t *ahs_len, uint32_t *data_len);

/* "Data-In"; "opcode 0x1c" does not occur: unknown ones give "unknown PDU". A constant. */
const char *lb_iscsi_opcode_word(unsigned opcode);
/* What a login status (class << 8 | detail) means, as the RFC says it, in a few words. */
const char *lb_iscsi_login_status_word(unsigned status);
/* The reason of a Reject in words (RFC 7143 11.17.1); a constant. */
const char *lb_iscsi_reject_word(unsigned reason);

/* Serial number arithmetic on 32 bits (RFC 1982): a < b, a <= b. */
static inline bool lb_sn_before(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) < 0;
}
static inline bool lb_sn_up_to(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) <= 0;
}

#endif
