#include "server/reload.h"
#include "server/lock.h"
#include "server/say.h"
#include "server/workers.h"
#include <string.h>

/* Keys that may change. The others are of sockets, of folders, or of all that runs. */
static const char may_change[] =
    "dhcp-range,router,dns,lease,dhcp-keys,dhcp-auth,unknown,overlay-limit,"
    "dhcp6-range,dns6,router-lifetime";
/* Keys of a section that may change while its machine runs. */
static const char may_change_running[] = "mac,uuid,address,address6";

static struct lb_server_settings fresh, before; /* wiped after each use: they have secrets */

/* ---- read ---- */

/* guess: where it is, if nothing has moved. */
static const struct lb_server_machine_settings *
section_named(const struct lb_server_settings *settings, const char *name, size_t guess) {
    if (guess < settings->machine_count && strcmp(settings->machines[guess].name, name) == 0)
        return &settings->machines[guess];
    for (size_t i = 0; i < settings->machine_count; i++)
        if (strcmp(settings->machines[i].name, name) == 0)
            return &settings->machines[i];
    return NULL;
}

/* Machines that lunbootctl has added stay. */
static bool keep_added(const struct lb_server_settings *now, struct lb_server_error *error) {
    for (size_t i = 0; i < now->machine_count; i++) {
        const struct lb_server_machine_settings *section = &now->machines[i];
        if (!section->is_added || section_named(&fresh, section->name, i) != NULL)
            continue;
        if (fresh.machine_count == LB_SERVER_SECTIONS_MAX)
            return lb_server_fail(error, "lunbootctl remove takes out those that it has added",
                                  "there are more than %d machines", LB_SERVER_SECTIONS_MAX);
        fresh.machines[fresh.machine_count++] = *section;
    }
    return true;
}

/* Without the lock: settings are the main thread's. */
static bool read_fresh(const struct lb_server *server, struct lb_server_error *error) {
    const struct lb_server_settings *now = &server->settings;
    lb_server_settings_init(&fresh);
    if (!lb_server_settings_take(&fresh, server->argc, server->argv, error) ||
        !keep_added(now, error) || !lb_server_settings_check(&fresh, error))
        return false;
    if (fresh.dhcp == server->asked_dhcp)
        fresh.dhcp = now->dhcp; /* what lunbootd found at its start holds */
    if (!lb_server_has_http())
        fresh.http = false;
    const char *word = lb_server_settings_difference(now, &fresh, may_change);
    return word == NULL || lb_server_fail(error,
                                          "take the change back, or restart lunbootd: "
                                          "machines that run log in again by themselves",
                                          "%s cannot change while lunbootd runs", word);
}

/* ---- what changes for whom ---- */

static bool is_running(const struct lb_server *server, const struct lb_server_machine *machine) {
    const struct lb_server_session *at = NULL;
    struct lb_server_session_info info;
    return machine->is_busy || lb_server_target_next(&server->target, machine, &at, &info) ||
           !lb_server_workers_await(&server->target, machine);
}

static void forget(struct lb_server *server, struct lb_server_machine *machine) {
    lb_server_target_forget(&server->target, machine);
    lb_server_machines_forget(&server->machines, machine);
}

static struct lb_server_machine *machine_of(struct lb_server *server, const char *name) {
    return lb_server_machines_named(&server->machines, lb_bytes_of_text(name));
}

/* Whether a machine that lost its section while it ran has what this one says. */
static bool is_as(const struct lb_server_machine *machine,
                  const struct lb_server_machine_settings *section) {
    struct lb_server_disk_choice choice = lb_server_settings_disk(&fresh, section);
    uint32_t writes = section->writes == LB_WRITES_AS_ALL ? fresh.writes : section->writes;
    return machine->writes == writes && lb_streq(machine->image, choice.image) &&
           (choice.image[0] != '\0' || lb_streq(machine->disk->path, choice.disk));
}

/* A machine that runs keeps its disk. */
static bool check_running(struct lb_server *server, struct lb_server_error *error) {
    for (size_t i = 0; i < fresh.machine_count; i++) {
        const char *name = fresh.machines[i].name, *word = NULL;
        const struct lb_server_machine_settings *was = section_named(&server->settings, name, i);
        const struct lb_server_machine *machine = machine_of(server, name);
        char hint[120];
        if (machine == NULL || !is_running(server, machine))
            continue;
        if (was != NULL)
            word = lb_server_section_difference(was, &fresh.machines[i], may_change_running);
        else if (!is_as(machine, &fresh.machines[i]))
            word = "disk or writes";
        if (word == NULL)
            continue;
        lb_format(hint, sizeof hint, "shut it down first, or: lunbootctl eject %s", name);
        return lb_server_fail(error, hint, "%s of %s cannot change while it runs", word, name);
    }
    return true;
}

/* Its section has gone: who is logged in goes on, and may log in again; nobody boots by it, nor
 * finds it by discovery. */
static void retire(struct lb_server *server, struct lb_server_machine *machine) {
    const struct lb_server_session *at = NULL;
    struct lb_server_session_info info;
    if (!is_running(server, machine)) {
        forget(server, machine);
        return;
    }
    machine->is_leaving = true;
    if (lb_server_target_next(&server->target, machine, &at, &info))
        lb_server_machine_allow(&server->machines, machine, info.initiator);
}

static void retire_gone(struct lb_server *server) {
    for (size_t i = 0; i < server->machines.count; i++) {
        struct lb_server_machine *machine = &server->machines.list[i];
        if (machine->is_section && !machine->is_gone &&
            section_named(&server->settings, machine->name, i) == NULL)
            retire(server, machine);
    }
}

/* The machine is as its section says; was: as it said before. */
static bool apply_section(struct lb_server *server,
                          const struct lb_server_machine_settings *section,
                          const struct lb_server_machine_settings *was,
                          struct lb_server_error *error) {
    struct lb_server_machine *machine = machine_of(server, section->name);
    bool is_same = was != NULL
                       ? lb_server_section_difference(was, section, may_change_running) == NULL
                       : machine != NULL && is_running(server, machine);
    if (machine != NULL && is_same) {
        lb_server_machine_identify(&server->machines, machine, section->mac, section->uuid);
        if (machine->is_leaving)
            lb_server_machine_allow(&server->machines, machine, section->initiator);
        machine->is_leaving = false;
        machine->is_section = true;
        return true;
    }
    if (machine != NULL)
        forget(server, machine);
    return lb_server_machines_add(&server->machines, section, error);
}

/* An image that is not there yet is no mistake: it is waited for. */
static bool waits_for_image(const struct lb_server_machine_settings *section) {
    const char *image = lb_server_settings_disk(&fresh, section).image;
    return image[0] != '\0' && lb_images_newest(fresh.state, image) == 0;
}

/* Gives how many sections are applied: all of them, or up to the one that cannot be. */
static size_t apply_sections(struct lb_server *server, const struct lb_server_settings *from,
                             const struct lb_server_settings *was, size_t count,
                             struct lb_server_error *error) {
    for (size_t i = 0; i < count; i++)
        if (!waits_for_image(&from->machines[i]) &&
            !apply_section(server, &from->machines[i],
                           section_named(was, from->machines[i].name, i), error))
            return i;
    return count;
}

/* ---- apply, or take back ---- */

static bool apply(struct lb_server *server, struct lb_server_error *error) {
    struct lb_server_error other = {0};
    before = server->settings;
    server->settings = fresh;
    if (!lb_server_reload_dhcp(server, error)) {
        server->settings = before;
        (void)lb_server_reload_dhcp(server, &other); /* one of the families may have the new ones */
        return false;
    }
    size_t done = apply_sections(server, &fresh, &before, fresh.machine_count, error);
    if (done == fresh.machine_count) {
        retire_gone(server);
        return true;
    }
    server->settings = before;
    retire_gone(server);
    (void)apply_sections(server, &before, &fresh, before.machine_count, &other);
    (void)lb_server_reload_dhcp(server, &other);
    return false;
}

bool lb_server_reload(struct lb_server *server, struct lb_server_error *error) {
    bool is_paused = lb_lock_pause_any();
    bool is_read = read_fresh(server, error);
    lb_lock_resume_any(is_paused);
    bool did = is_read && check_running(server, error) && apply(server, error);
    if (did)
        lb_server_machines_refresh(&server->machines);
    if (did)
        lb_server_say("", "has read its configuration again");
    else
        lb_server_say("", "has read its configuration again, and goes on as before: %s; try: %s",
                      error->what, error->hint);
    lb_wipe(&fresh, sizeof fresh);
    lb_wipe(&before, sizeof before);
    return did;
}
