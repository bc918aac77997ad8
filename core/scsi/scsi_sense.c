#include "core/scsi/scsi.h"

/* ---- sense data: SPC-4 4.5 ---- */

enum key {
    KEY_NO_SENSE = 0,
    KEY_RECOVERED = 1,
    KEY_NOT_READY = 2,
    KEY_MEDIUM = 3,
    KEY_HARDWARE = 4,
    KEY_ILLEGAL_REQUEST = 5,
    KEY_UNIT_ATTENTION = 6,
    KEY_DATA_PROTECT = 7,
    KEY_BLANK = 8,
    KEY_VENDOR = 9,
    KEY_COPY_ABORTED = 10,
    KEY_ABORTED = 11,
    KEY_VOLUME_OVERFLOW = 13,
    KEY_MISCOMPARE = 14,
    KEY_COMPLETED = 15,
};

static uint8_t byte_at(struct lb_bytes bytes, size_t i) {
    return i < bytes.len ? bytes.p[i] : 0;
}

static void decode_fixed(struct lb_bytes bytes, struct lb_scsi_sense *sense) {
    sense->key = byte_at(bytes, 2) & 0x0f;
    sense->is_valid = bytes.len > 2;
    if (bytes.len >= 7 && bytes.p[0] & 0x80) {
        struct lb_rd rd = lb_rd(lb_bytes_after(bytes, 3));
        sense->information = lb_rd_u32(&rd);
        sense->has_information = true;
    }
    size_t additional = byte_at(bytes, 7); /* the bytes from 8 on that are valid */
    if (additional >= 5)
        sense->asc = byte_at(bytes, 12);
    if (additional >= 6)
        sense->ascq = byte_at(bytes, 13);
}

static void decode_descriptors(struct lb_bytes bytes, struct lb_scsi_sense *sense) {
    sense->key = byte_at(bytes, 1) & 0x0f;
    sense->is_valid = bytes.len > 1;
    sense->asc = byte_at(bytes, 2);
    sense->ascq = byte_at(bytes, 3);
    struct lb_rd rd = lb_rd(lb_bytes_after(bytes, 8));
    if (rd.left > byte_at(bytes, 7))
        rd.left = byte_at(bytes, 7);
    while (rd.left >= 2) {
        uint8_t type = lb_rd_u8(&rd);
        size_t len = lb_rd_u8(&rd);
        struct lb_rd descriptor = lb_rd(lb_rd_bytes(&rd, len));
        if (!lb_rd_ok(&rd))
            return;                /* the last one is cut off */
        if (type != 0 || len < 10) /* 0: information */
            continue;
        bool has_information = lb_rd_u8(&descriptor) & 0x80;
        lb_rd_skip(&descriptor, 1);
        uint64_t information = lb_rd_u64(&descriptor);
        if (!lb_rd_ok(&descriptor) || !has_information)
            continue;
        sense->information = information;
        sense->has_information = true;
    }
}

struct lb_scsi_sense lb_scsi_decode_sense(struct lb_bytes bytes) {
    struct lb_scsi_sense sense = {0};
    switch (byte_at(bytes, 0) & 0x7f) {
    case 0x71:
        sense.is_deferred = true;
        decode_fixed(bytes, &sense);
        break;
    case 0x70:
        decode_fixed(bytes, &sense);
        break;
    case 0x73:
        sense.is_deferred = true;
        decode_descriptors(bytes, &sense);
        break;
    case 0x72:
        decode_descriptors(bytes, &sense);
        break;
    default:
        break;
    }
    return sense;
}

/* ---- the verdict ---- */

static struct lb_scsi_judgement verdict(enum lb_scsi_verdict verdict, enum lb_code code) {
    return (struct lb_scsi_judgement){.verdict = verdict, .code = code};
}

static struct lb_scsi_judgement judge_not_ready(uint8_t asc, uint8_t ascq) {
    if (asc == 0x3a) /* medium not present */
        return verdict(LB_SCSI_FAIL, LB_E_NO_MEDIUM);
    if (asc == 0x04 && (ascq == 0x0b || ascq == 0x0c)) /* target port on standby, unavailable */
        return verdict(LB_SCSI_RETRY_LATER, LB_E_STANDBY);
    if (asc == 0x04 && ascq == 0x02) /* initializing command required */
        return verdict(LB_SCSI_START, LB_E_NOT_READY);
    if (asc == 0x04 && ascq == 0x03) /* manual intervention required */
        return verdict(LB_SCSI_FAIL, LB_E_NOT_READY);
    return verdict(LB_SCSI_RETRY_LATER, LB_E_NOT_READY);
}

static struct lb_scsi_judgement judge_illegal(uint8_t asc) {
    if (asc == 0x21) /* LBA out of range: has the disk shrunk? */
        return verdict(LB_SCSI_FAIL, LB_E_OUT_OF_RANGE);
    if (asc == 0x25)
        return verdict(LB_SCSI_FAIL, LB_E_LUN_MISSING);
    if (asc == 0x27)
        return verdict(LB_SCSI_FAIL, LB_E_WRITE_PROTECTED);
    if (asc == 0x55) /* insufficient resources */
        return verdict(LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY);
    return verdict(LB_SCSI_FAIL, LB_E_SCSI);
}

/* Unit attentions that are about something else than what the LUN is and has: SPC-4 annex F. Of all
 * others, those that nobody knows yet among them, the disk is looked at again: power on and reset
 * (29), medium may have changed (28), capacity changed (2A/09), inquiry data, device identifier and
 * the list of LUNs changed (3F). */
static bool is_of_no_concern(uint8_t asc, uint8_t ascq) {
    switch (asc) {
    case 0x0b: /* warning: temperature and the like */
    case 0x2f: /* commands cleared by another initiator */
    case 0x38: /* thin provisioning threshold */
    case 0x5d: /* failure prediction */
        return true;
    case 0x2a: /* log, reservations, registrations, asymmetric access, priority */
        return ascq >= 0x02 && ascq <= 0x08;
    default:
        return false;
    }
}

static struct lb_scsi_judgement judge_unit_attention(uint8_t asc, uint8_t ascq) {
    if (is_of_no_concern(asc, ascq))
        return verdict(LB_SCSI_RETRY_NOW, LB_E_SCSI);
    return verdict(LB_SCSI_VERIFY, LB_E_SCSI);
}

static struct lb_scsi_judgement judge_sense(const struct lb_scsi_sense *sense) {
    /* CHECK CONDITION without sense says nothing at all; it is seen from targets under load. */
    if (!sense->is_valid)
        return verdict(LB_SCSI_RETRY_LATER, LB_E_SCSI);
    switch (sense->key) {
    case KEY_RECOVERED:
    case KEY_COMPLETED:
        return verdict(LB_SCSI_OK, LB_OK);
    case KEY_NOT_READY:
        return judge_not_ready(sense->asc, sense->ascq);
    case KEY_MEDIUM:
    case KEY_HARDWARE: /* iPXE tries all again, Linux what arrays are known for
                          (BLIST_RETRY_HWERROR) */
        return verdict(LB_SCSI_RETRY_FEW, LB_E_MEDIUM);
    case KEY_BLANK:
        return verdict(LB_SCSI_FAIL, LB_E_MEDIUM);
    case KEY_ILLEGAL_REQUEST:
        return judge_illegal(sense->asc);
    case KEY_UNIT_ATTENTION:
        return judge_unit_attention(sense->asc, sense->ascq);
    case KEY_DATA_PROTECT:
        return verdict(LB_SCSI_FAIL, LB_E_WRITE_PROTECTED);
    case KEY_NO_SENSE:
    case KEY_ABORTED:
        return verdict(LB_SCSI_RETRY_LATER, LB_E_SCSI);
    default:
        return verdict(LB_SCSI_FAIL, LB_E_SCSI);
    }
}

static struct lb_scsi_judgement judge_check(struct lb_bytes bytes) {
    struct lb_scsi_sense sense = lb_scsi_decode_sense(bytes);
    struct lb_scsi_judgement judgement = judge_sense(&sense);
    if (sense.is_deferred) /* an earlier write was lost; this command was not carried out */
        judgement = verdict(LB_SCSI_RETRY_NOW, LB_E_MEDIUM);
    judgement.sense = sense;
    return judgement;
}

struct lb_scsi_judgement lb_scsi_judge(uint8_t status, struct lb_bytes sense) {
    switch (status) {
    case LB_SCSI_GOOD:
        return verdict(LB_SCSI_OK, LB_OK);
    case LB_SCSI_CHECK_CONDITION:
        return judge_check(sense);
    case LB_SCSI_BUSY:
    case LB_SCSI_TASK_SET_FULL:
    case LB_SCSI_ACA_ACTIVE:
        return verdict(LB_SCSI_RETRY_LATER, LB_E_DISK_BUSY);
    case LB_SCSI_RESERVATION_CONFLICT:
        return verdict(LB_SCSI_FAIL, LB_E_RESERVED);
    case LB_SCSI_TASK_ABORTED:
        return verdict(LB_SCSI_RETRY_NOW, LB_E_SCSI);
    default:
        return verdict(LB_SCSI_FAIL, LB_E_SCSI);
    }
}

/* ---- words ---- */

const char *lb_scsi_status_word(uint8_t status) {
    switch (status) {
    case LB_SCSI_GOOD:
        return "GOOD";
    case LB_SCSI_CHECK_CONDITION:
        return "CHECK CONDITION";
    case LB_SCSI_BUSY:
        return "BUSY";
    case LB_SCSI_RESERVATION_CONFLICT:
        return "RESERVATION CONFLICT";
    case LB_SCSI_TASK_SET_FULL:
        return "TASK SET FULL";
    case LB_SCSI_ACA_ACTIVE:
        return "ACA ACTIVE";
    case LB_SCSI_TASK_ABORTED:
        return "TASK ABORTED";
    default:
        return "unknown status";
    }
}

const char *lb_scsi_key_word(uint8_t key) {
    static const char *const words[16] = {
        "NO SENSE",       "RECOVERED ERROR", "NOT READY",      "MEDIUM ERROR",
        "HARDWARE ERROR", "ILLEGAL REQUEST", "UNIT ATTENTION", "DATA PROTECT",
        "BLANK CHECK",    "VENDOR SPECIFIC", "COPY ABORTED",   "ABORTED COMMAND",
        "key 12",         "VOLUME OVERFLOW", "MISCOMPARE",     "COMPLETED",
    };
    return words[key & 0x0f];
}

#define ANY 0x100 /* every qualifier of the code that has no line of its own */

static const struct {
    uint8_t asc;
    uint16_t ascq;
    const char *word;
} asc_words[] = {
    {0x04, 0x00, "not ready, cause not reportable"},
    {0x04, 0x01, "becoming ready"},
    {0x04, 0x02, "needs a start command"},
    {0x04, 0x03, "needs somebody at the machine"},
    {0x04, 0x04, "format in progress"},
    {0x04, 0x0a, "asymmetric access state in transition"},
    {0x04, 0x0b, "target port in standby state"},
    {0x04, 0x0c, "target port unavailable"},
    {0x04, ANY, "not ready"},
    {0x08, ANY, "communication failure"},
    {0x0c, ANY, "write error"},
    {0x11, ANY, "unrecovered read error"},
    {0x1a, ANY, "parameter list length error"},
    {0x20, ANY, "invalid command"},
    {0x21, ANY, "block address out of range"},
    {0x24, ANY, "invalid field in the command"},
    {0x25, ANY, "no such LUN"},
    {0x26, ANY, "invalid field in the parameters"},
    {0x27, ANY, "write protected"},
    {0x28, ANY, "medium may have changed"},
    {0x29, 0x07, "session lost"},
    {0x29, ANY, "power on or reset"},
    {0x2a, 0x01, "mode parameters changed"},
    {0x2a, 0x09, "capacity changed"},
    {0x2a, ANY, "parameters changed"},
    {0x2f, ANY, "commands cleared by another initiator"},
    {0x31, ANY, "medium format corrupted"},
    {0x3a, ANY, "no medium"},
    {0x3f, 0x03, "inquiry data changed"},
    {0x3f, 0x05, "device identifier changed"},
    {0x3f, 0x0e, "list of LUNs changed"},
    {0x3f, ANY, "target operating conditions changed"},
    {0x44, ANY, "internal target failure"},
    {0x47, ANY, "parity or CRC error"},
    {0x4b, ANY, "data phase error"},
    {0x4e, ANY, "overlapped commands"},
    {0x55, ANY, "out of resources"},
};

const char *lb_scsi_asc_word(uint8_t asc, uint8_t ascq) {
    for (size_t i = 0; i < LB_COUNT(asc_words); i++)
        if (asc_words[i].asc == asc && (asc_words[i].ascq == ascq || asc_words[i].ascq == ANY))
            return asc_words[i].word;
    return "";
}

void lb_scsi_answer_format(struct lb_text *text, uint8_t status,
                           const struct lb_scsi_sense *sense) {
    lb_text_add(text, "%s", lb_scsi_status_word(status));
    if (lb_streq(lb_scsi_status_word(status), "unknown status"))
        lb_text_add(text, " 0x%02x", status);
    if (status != LB_SCSI_CHECK_CONDITION)
        return;
    if (!sense->is_valid) {
        lb_text_add(text, " without sense data");
        return;
    }
    const char *word = lb_scsi_asc_word(sense->asc, sense->ascq);
    lb_text_add(text, ", %s%s %02x/%02x%s%s", sense->is_deferred ? "deferred " : "",
                lb_scsi_key_word(sense->key), sense->asc, sense->ascq, *word ? " " : "", word);
    if (sense->has_information && sense->key == KEY_MEDIUM)
        lb_text_add(text, " at LBA %llu", (unsigned long long)sense->information);
}
