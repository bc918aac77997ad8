/* RESERVE(6) and RELEASE(6) (SPC-2 7.21), and persistent reservations (SPC-4 5.13, 6.15, 6.16). The
 * first end with the session; the others are kept for a registered initiator port. */
#include "core/scsi/scsi_device_state.h"

enum lb_scsi_pr_type { /* SPC-4 table 51 */
                       PR_NONE = 0,
                       PR_WRITE_EXCLUSIVE = 1,
                       PR_EXCLUSIVE = 3,
                       PR_WRITE_EXCLUSIVE_REGISTRANTS = 5,
                       PR_EXCLUSIVE_REGISTRANTS = 6,
                       PR_WRITE_EXCLUSIVE_ALL = 7,
                       PR_EXCLUSIVE_ALL = 8,
};

enum { READ_KEYS, READ_RESERVATION, REPORT_CAPABILITIES, READ_FULL_STATUS };
enum { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT_AND_ABORT, REGISTER_AND_IGNORE };

bool lb_scsi_is_reservation(uint8_t type) {
    return type == PR_WRITE_EXCLUSIVE || type == PR_EXCLUSIVE ||
           (type >= PR_WRITE_EXCLUSIVE_REGISTRANTS && type <= PR_EXCLUSIVE_ALL);
}

/* Every registrant holds a reservation of these types. */
bool lb_scsi_is_reservation_of_all(uint8_t type) {
    return type == PR_WRITE_EXCLUSIVE_ALL || type == PR_EXCLUSIVE_ALL;
}

static bool is_for_writes(uint8_t type) {
    return type == PR_WRITE_EXCLUSIVE || type == PR_WRITE_EXCLUSIVE_REGISTRANTS ||
           type == PR_WRITE_EXCLUSIVE_ALL;
}

bool lb_scsi_is_port(const struct lb_scsi_port *a, const struct lb_scsi_port *b) {
    return memcmp(a->isid, b->isid, sizeof a->isid) == 0 &&
           lb_strlen(a->name) == lb_strlen(b->name) &&
           memcmp(a->name, b->name, lb_strlen(a->name)) == 0;
}

/* ---- registrations ---- */

static struct lb_scsi_registration *find(const struct lb_scsi_unit *unit,
                                         const struct lb_scsi_port *port) {
    for (unsigned i = 0; i < unit->registration_count; i++)
        if (lb_scsi_is_port(&unit->registrations[i].port, port))
            return &unit->registrations[i];
    return NULL;
}

bool lb_scsi_is_registered(const struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus) {
    return find(unit, nexus->port) != NULL;
}

static bool is_holder(const struct lb_scsi_unit *unit, const struct lb_scsi_registration *r) {
    return unit->reservation_type != PR_NONE && r != NULL &&
           (r->is_holder || lb_scsi_is_reservation_of_all(unit->reservation_type));
}

/* The sessions of a registered port are told. */
static void tell(const struct lb_scsi_unit *unit, const struct lb_scsi_registration *r,
                 uint8_t ascq) {
    for (struct lb_scsi_nexus *n = unit->nexuses; n != NULL; n = n->next)
        if (lb_scsi_is_port(n->port, &r->port))
            lb_scsi_nexus_attention(n, 0x2a, ascq);
}

/* The others who are registered: 04 reservations released, 03 preempted, 05 registrations
 * preempted. */
static void tell_others(const struct lb_scsi_unit *unit, const struct lb_scsi_registration *but,
                        uint8_t ascq) {
    for (unsigned i = 0; i < unit->registration_count; i++)
        if (&unit->registrations[i] != but)
            tell(unit, &unit->registrations[i], ascq);
}

static void release_all(struct lb_scsi_unit *unit) {
    unit->reservation_type = PR_NONE;
    for (unsigned i = 0; i < unit->registration_count; i++)
        unit->registrations[i].is_holder = false;
}

/* Whether anybody is left who holds it. */
static bool has_holder(const struct lb_scsi_unit *unit) {
    for (unsigned i = 0; i < unit->registration_count; i++)
        if (is_holder(unit, &unit->registrations[i]))
            return true;
    return false;
}

/* Removes a registration; a reservation that nobody holds any more is over (5.13.11.2.3), and those
 * for whom it was are told. Gives whether the last one took its place. */
static void unregister(struct lb_scsi_unit *unit, struct lb_scsi_registration *r) {
    uint8_t type = unit->reservation_type;
    *r = unit->registrations[--unit->registration_count];
    if (type == PR_NONE || has_holder(unit))
        return;
    release_all(unit);
    if (type >= PR_WRITE_EXCLUSIVE_REGISTRANTS)
        tell_others(unit, NULL, 0x04);
}

/* ---- what stands against a command ---- */

static bool stands_persistent(const struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                              const struct lb_scsi_row *row) {
    const struct lb_scsi_registration *own = find(unit, nexus->port);
    uint8_t type = unit->reservation_type;
    if (type == PR_NONE || is_holder(unit, own))
        return false;
    if (own != NULL && type >= PR_WRITE_EXCLUSIVE_REGISTRANTS)
        return false;
    return row->flags & LB_SCSI_WRITES || (row->flags & LB_SCSI_READS && !is_for_writes(type));
}

/* What does no harm to others: SBC-3 table 13, SPC-4 table 52: a start without a power condition,
 * and medium removal that is allowed again. */
static bool is_harmless(const uint8_t cdb[16]) {
    return (cdb[0] == LB_SCSI_START_STOP_UNIT && (cdb[4] & 0xf1) == 1) ||
           (cdb[0] == LB_SCSI_PREVENT_ALLOW && (cdb[4] & 3) == 0);
}

bool lb_scsi_is_reserved(const struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                         const struct lb_scsi_row *row, const uint8_t cdb[16]) {
    bool is_old = cdb[0] == LB_SCSI_RESERVE_6 || cdb[0] == LB_SCSI_RELEASE_6;
    if (is_harmless(cdb))
        return false;
    if (is_old && unit->registration_count > 0)
        return true; /* SPC-4 5.13.3: the two kinds do not mix */
    if (row->flags & LB_SCSI_OLD && unit->reserved != NULL && unit->reserved != nexus)
        return true;
    return stands_persistent(unit, nexus, row);
}

void lb_scsi_reserve(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                     struct lb_scsi_command *command) {
    if (command->cdb[1] != 0) /* of a third party, or an extent */
        lb_scsi_invalid_field(command);
    else if (command->cdb[0] == LB_SCSI_RESERVE_6)
        unit->reserved = nexus;
    else if (unit->reserved == nexus)
        unit->reserved = NULL; /* of somebody else's: nothing, and no error */
}

/* ---- PERSISTENT RESERVE IN ---- */

static void put_keys(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_u32(wr, unit->generation);
    lb_wr_u32(wr, 8 * unit->registration_count);
    for (unsigned i = 0; i < unit->registration_count; i++)
        lb_wr_u64(wr, unit->registrations[i].key);
}

static void put_reservation(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    uint64_t key = 0;
    for (unsigned i = 0; i < unit->registration_count; i++)
        if (unit->registrations[i].is_holder &&
            !lb_scsi_is_reservation_of_all(unit->reservation_type))
            key = unit->registrations[i].key;
    lb_wr_u32(wr, unit->generation);
    lb_wr_u32(wr, unit->reservation_type == PR_NONE ? 0 : 16);
    if (unit->reservation_type == PR_NONE)
        return;
    lb_wr_u64(wr, key);
    lb_wr_u32(wr, 0);
    lb_wr_u8(wr, 0);
    lb_wr_u8(wr, unit->reservation_type);
    lb_wr_u16(wr, 0);
}

static void put_capabilities(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_u16(wr, 8);
    lb_wr_u8(wr, unit->can_keep ? 1 : 0);         /* PTPL_C; no CRH, SIP_C, ATP_C */
    lb_wr_u8(wr, 0x80 | (unit->is_kept ? 1 : 0)); /* TMV; PTPL_A */
    lb_wr_u16(wr, 0xea01);                        /* all six types */
    lb_wr_u16(wr, 0);
}

/* SPC-4 7.6.4.6: an iSCSI initiator port. */
static void put_transport_id(struct lb_wr *wr, const struct lb_scsi_port *port) {
    char suffix[20];
    size_t len = lb_strlen(port->name) + 17;
    size_t padded = (len + 1 + 3) & ~(size_t)3;
    lb_format(suffix, sizeof suffix, ",i,0x%02x%02x%02x%02x%02x%02x", (unsigned)port->isid[0],
              (unsigned)port->isid[1], (unsigned)port->isid[2], (unsigned)port->isid[3],
              (unsigned)port->isid[4], (unsigned)port->isid[5]);
    lb_wr_u8(wr, 0x45);
    lb_wr_u8(wr, 0);
    lb_wr_u16(wr, (uint16_t)padded);
    lb_wr_text(wr, port->name);
    lb_wr_text(wr, suffix);
    lb_wr_zero(wr, padded - len);
}

static void put_full_status(struct lb_wr *wr, const struct lb_scsi_unit *unit) {
    lb_wr_u32(wr, unit->generation);
    lb_wr_u32(wr, 0); /* the length, below */
    for (unsigned i = 0; i < unit->registration_count; i++) {
        const struct lb_scsi_registration *r = &unit->registrations[i];
        bool holds = is_holder(unit, r);
        lb_wr_u64(wr, r->key);
        lb_wr_u32(wr, 0);
        lb_wr_u8(wr, holds ? 1 : 0);
        lb_wr_u8(wr, holds ? unit->reservation_type : 0);
        lb_wr_u32(wr, 0);
        lb_wr_u16(wr, 1); /* relative target port */
        size_t length_at = wr->len;
        lb_wr_u32(wr, 0);
        put_transport_id(wr, &r->port);
        lb_wr_u32_at(wr, length_at, (uint32_t)(wr->len - length_at - 4));
    }
    lb_wr_u32_at(wr, 4, (uint32_t)(wr->len - 8));
}

void lb_scsi_persistent_in(const struct lb_scsi_unit *unit, struct lb_scsi_command *command,
                           struct lb_wr *wr) {
    switch (command->cdb[1] & 0x1f) {
    case READ_KEYS:
        put_keys(wr, unit);
        return;
    case READ_RESERVATION:
        put_reservation(wr, unit);
        return;
    case REPORT_CAPABILITIES:
        put_capabilities(wr, unit);
        return;
    default:
        put_full_status(wr, unit);
        return;
    }
}

/* ---- PERSISTENT RESERVE OUT ---- */

struct out {
    uint8_t action, type;
    uint64_t key, action_key;
    bool aptpl;
};

static void conflict(struct lb_scsi_command *command) {
    command->status = LB_SCSI_RESERVATION_CONFLICT;
    command->has_failed = true;
}

static void put_registration(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                             struct lb_scsi_command *command, const struct out *out) {
    struct lb_scsi_registration *own = find(unit, nexus->port);
    unit->is_kept = out->aptpl;
    unit->generation++;
    if (own != NULL && out->action_key == 0) {
        unregister(unit, own);
    } else if (own != NULL) {
        own->key = out->action_key;
    } else if (out->action_key != 0 &&
               unit->registration_count <
                   LB_MIN(unit->registration_cap, LB_SCSI_REGISTRATIONS_MAX)) {
        unit->registrations[unit->registration_count++] =
            (struct lb_scsi_registration){.port = *nexus->port, .key = out->action_key};
    } else if (out->action_key != 0) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x55, 0x04); /* no resources */
    }
}

static void register_key(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                         struct lb_scsi_command *command, const struct out *out) {
    const struct lb_scsi_registration *own = find(unit, nexus->port);
    uint64_t key = own == NULL ? 0 : own->key;
    if (out->action == REGISTER && out->key != key)
        conflict(command);
    else if (out->aptpl && !unit->can_keep)
        lb_scsi_invalid_parameter(command);
    else
        put_registration(unit, nexus, command, out);
}

static void reserve(struct lb_scsi_unit *unit, struct lb_scsi_registration *own,
                    struct lb_scsi_command *command, const struct out *out) {
    if (!lb_scsi_is_reservation(out->type) || command->cdb[2] >> 4 != 0) {
        lb_scsi_invalid_field(command);
        return;
    }
    if (unit->reservation_type != PR_NONE &&
        (!is_holder(unit, own) || unit->reservation_type != out->type)) {
        conflict(command);
        return;
    }
    unit->reservation_type = out->type;
    own->is_holder = true;
}

static void release(struct lb_scsi_unit *unit, const struct lb_scsi_registration *own,
                    struct lb_scsi_command *command, const struct out *out) {
    if (!is_holder(unit, own))
        return; /* 5.13.11.2.2: nothing, and no error */
    if (out->type != unit->reservation_type || command->cdb[2] >> 4 != 0) {
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x26, 0x04);
        return;
    }
    release_all(unit);
    if (out->type >= PR_WRITE_EXCLUSIVE_REGISTRANTS)
        tell_others(unit, own, 0x04);
}

static void clear(struct lb_scsi_unit *unit, const struct lb_scsi_registration *own) {
    tell_others(unit, own, 0x03);
    release_all(unit);
    unit->registration_count = 0;
    unit->generation++;
}

/* Removes all registrations with this key but that of the port (any key: 0), and tells them. Gives
 * how many. */
static unsigned remove_keys(struct lb_scsi_unit *unit, const struct lb_scsi_port *but,
                            uint64_t key) {
    unsigned count = 0;
    for (unsigned i = 0; i < unit->registration_count;) {
        struct lb_scsi_registration *r = &unit->registrations[i];
        if (lb_scsi_is_port(&r->port, but) || (key != 0 && r->key != key)) {
            i++;
            continue;
        }
        tell(unit, r, 0x05);
        *r = unit->registrations[--unit->registration_count];
        count++;
    }
    return count;
}

static bool is_key_of_holder(const struct lb_scsi_unit *unit, uint64_t key) {
    if (lb_scsi_is_reservation_of_all(unit->reservation_type))
        return key == 0;
    for (unsigned i = 0; i < unit->registration_count; i++)
        if (unit->registrations[i].is_holder && unit->registrations[i].key == key)
            return true;
    return false;
}

/* SPC-4 5.13.11.2.4 to .7 */
static void preempt(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                    struct lb_scsi_command *command, const struct out *out) {
    bool takes_over = unit->reservation_type != PR_NONE && is_key_of_holder(unit, out->action_key);
    uint8_t old_type = unit->reservation_type;
    if (takes_over && (!lb_scsi_is_reservation(out->type) || command->cdb[2] >> 4 != 0)) {
        lb_scsi_invalid_field(command);
        return;
    }
    if (!takes_over && out->action_key == 0) {
        lb_scsi_invalid_parameter(command);
        return;
    }
    unsigned count = remove_keys(unit, nexus->port, out->action_key);
    if (count == 0 && !takes_over) {
        conflict(command);
        return;
    }
    unit->generation++;
    command->aborts = out->action == PREEMPT_AND_ABORT;
    if (!takes_over)
        return;
    release_all(unit);
    struct lb_scsi_registration *own = find(unit, nexus->port);
    if (own == NULL)
        return; /* never: who preempts is registered, and is not removed */
    own->is_holder = true;
    unit->reservation_type = out->type;
    if (old_type != out->type)
        tell_others(unit, own, 0x04);
}

static void carry_out(struct lb_scsi_unit *unit, const struct lb_scsi_nexus *nexus,
                      struct lb_scsi_command *command, const struct out *out) {
    struct lb_scsi_registration *own = find(unit, nexus->port);
    if (out->action == REGISTER || out->action == REGISTER_AND_IGNORE) {
        register_key(unit, nexus, command, out);
        return;
    }
    if (own == NULL || own->key != out->key) {
        conflict(command);
        return;
    }
    if (out->action == RESERVE)
        reserve(unit, own, command, out);
    else if (out->action == RELEASE)
        release(unit, own, command, out);
    else if (out->action == CLEAR)
        clear(unit, own);
    else
        preempt(unit, nexus, command, out);
}

void lb_scsi_persistent_out(struct lb_scsi_unit *unit, struct lb_scsi_nexus *nexus,
                            struct lb_scsi_command *command, struct lb_bytes list) {
    struct lb_rd rd = lb_rd(list);
    struct out out = {.action = command->cdb[1] & 0x1f, .type = command->cdb[2] & 0x0f};
    bool was_kept = unit->is_kept;
    out.key = lb_rd_u64(&rd);
    out.action_key = lb_rd_u64(&rd);
    lb_rd_skip(&rd, 4);
    uint8_t flags = lb_rd_u8(&rd);
    out.aptpl = flags & 1;
    lb_rd_skip(&rd, 3);
    if (!lb_rd_ok(&rd) || rd.left > 0) { /* the basic list is 24 bytes */
        lb_scsi_command_check(command, LB_SCSI_ILLEGAL_REQUEST, 0x1a, 0);
        return;
    }
    if (flags & 0x0c) { /* SPEC_I_PT, ALL_TG_PT: not here */
        lb_scsi_invalid_parameter(command);
        return;
    }
    carry_out(unit, nexus, command, &out);
    if (!command->has_failed && (unit->is_kept || was_kept))
        command->kind = LB_SCSI_KIND_KEEP;
}
