#include "server/kept.h"
#include "os/linux/files.h"
#include "server/durable.h"
#include "server/record.h"
#include "server/say.h"
#include <errno.h>

#define FIRST_LINE "# lunbootd: what initiators have set at a disk; see kept.h\n"

/* ---- text ---- */

/* ISID KEY HOLDER NAME. */
static bool take_registration(struct lb_server_kept *kept, struct lb_bytes value) {
    struct lb_bytes isid, key, holder;
    size_t len;
    if (kept->registration_count == LB_SERVER_REGISTRATIONS || !lb_list_next(&value, ' ', &isid) ||
        !lb_list_next(&value, ' ', &key) || !lb_list_next(&value, ' ', &holder))
        return false;
    struct lb_scsi_registration *at = &kept->registrations[kept->registration_count++];
    at->is_holder = lb_text_is(holder, "1");
    if (!lb_parse_hex_bytes(isid, lb_span(at->port.isid, sizeof at->port.isid), &len) ||
        len != sizeof at->port.isid || !lb_parse_hex_u64(key, &at->key) ||
        (!at->is_holder && !lb_text_is(holder, "0")))
        return false;
    return value.len > 0 && at->key != 0 &&
           lb_text_copy(at->port.name, sizeof at->port.name, value);
}

static bool take_line(struct lb_server_kept *kept, struct lb_bytes word, struct lb_bytes value) {
    uint64_t number;
    if (lb_text_is(word, "target")) /* once */
        return kept->target[0] == '\0' && value.len > 0 &&
               lb_text_copy(kept->target, sizeof kept->target, value);
    if (lb_text_is(word, "registration"))
        return take_registration(kept, value);
    if (!lb_text_is(word, "reservation") || !lb_parse_u64(value, 8, &number))
        return false;
    kept->reservation_type = (uint8_t)number;
    return lb_scsi_is_reservation(kept->reservation_type);
}

/* Somebody holds a reservation, if there is one. */
static bool is_sound(const struct lb_server_kept *kept) {
    unsigned holders = 0;
    for (unsigned i = 0; i < kept->registration_count; i++)
        holders += kept->registrations[i].is_holder;
    if (kept->target[0] == '\0' || kept->registration_count == 0)
        return false;
    if (lb_scsi_is_reservation_of_all(kept->reservation_type))
        return holders <= 1; /* who made it may be gone */
    return holders == (kept->reservation_type != 0);
}

bool lb_server_kept_parse(struct lb_bytes text, struct lb_server_kept *kept) {
    struct lb_server_kept got = {.reservation_type = 0};
    struct lb_bytes word, value;
    enum lb_record_line line;
    while ((line = lb_record_next(&text, &word, &value)) == LB_RECORD_VALUE)
        if (!take_line(&got, word, value))
            return false;
    if (line != LB_RECORD_END || !is_sound(&got))
        return false;
    *kept = got;
    return true;
}

void lb_server_kept_format(struct lb_text *text, const struct lb_server_kept *kept) {
    lb_text_add(text, FIRST_LINE "target = %s\n", kept->target);
    if (kept->reservation_type != 0)
        lb_text_add(text, "reservation = %u\n", (unsigned)kept->reservation_type);
    for (unsigned i = 0; i < kept->registration_count; i++) {
        const struct lb_scsi_registration *at = &kept->registrations[i];
        lb_text_add(text, "registration = ");
        lb_text_hex(text, lb_bytes(at->port.isid, sizeof at->port.isid));
        lb_text_add(text, " %08x%08x %u %s\n", (unsigned)(at->key >> 32), (unsigned)at->key,
                    (unsigned)at->is_holder, at->port.name);
    }
    lb_text_add(text, "end\n");
}

/* ---- files ---- */

/* The folder's name is durable, too. */
static int make_folder(const char *state, const char *folder) {
    bool is_new;
    int error = lb_durable_make_folder(folder, &is_new);
    return is_new ? lb_durable_folder(state) : error;
}

static void paths_of(const char *state, const struct lb_server_machine *machine,
                     char folder[LB_SERVER_PATH_MAX + 40], char path[LB_SERVER_PATH_MAX + 76]) {
    lb_format(folder, LB_SERVER_PATH_MAX + 40, "%s/kept", state);
    lb_format(path, LB_SERVER_PATH_MAX + 76, "%s/%s", folder, machine->unit.serial);
}

void lb_server_kept_load(const char *state, struct lb_server_machine *machine) {
    char folder[LB_SERVER_PATH_MAX + 40], path[LB_SERVER_PATH_MAX + 76];
    uint8_t room[LB_SERVER_KEPT_MAX];
    struct lb_server_kept kept;
    paths_of(state, machine, folder, path);
    long len = lb_file_read(path, lb_span(room, sizeof room));
    if (len == -ENOENT)
        return;
    if (len <= 0 || !lb_server_kept_parse(lb_bytes(room, (size_t)len), &kept) ||
        !lb_streq(kept.target, machine->base_name)) {
        lb_server_say(machine->name, "%s cannot be read: nobody has a key at this disk", path);
        return;
    }
    machine->unit.reservation_type = kept.reservation_type;
    machine->unit.registration_count = kept.registration_count;
    machine->unit.is_kept = true;
    memcpy(machine->registrations, kept.registrations, sizeof machine->registrations);
}

int lb_server_kept_save(const char *state, const struct lb_server_machine *machine) {
    char folder[LB_SERVER_PATH_MAX + 40], room[LB_SERVER_KEPT_MAX];
    struct lb_text text = lb_text(room, sizeof room);
    const struct lb_scsi_unit *unit = &machine->unit;
    struct lb_server_kept kept = {.reservation_type = unit->reservation_type,
                                  .registration_count = unit->registration_count};
    lb_format(folder, sizeof folder, "%s/kept", state);
    if (!unit->is_kept || unit->registration_count == 0)
        return lb_durable_remove(folder, unit->serial);
    lb_format(kept.target, sizeof kept.target, "%s", machine->base_name);
    memcpy(kept.registrations, machine->registrations, sizeof kept.registrations);
    lb_server_kept_format(&text, &kept);
    if (text.cut)
        return ENOSPC;
    int error = make_folder(state, folder);
    return error != 0 ? error
                      : lb_durable_replace(folder, unit->serial, lb_bytes(text.at, text.len));
}

int lb_server_kept_forget(const char *state, struct lb_server_machine *machine) {
    machine->unit.registration_count = 0;
    machine->unit.reservation_type = 0;
    machine->unit.is_kept = false;
    return lb_server_kept_save(state, machine);
}
