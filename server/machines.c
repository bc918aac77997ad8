#include "server/machines.h"
#include "core/base/siphash.h"
#include "core/iscsi/iscsi_wire.h"
#include "core/names/rootpath.h"
#include "server/atomic.h"
#include "server/durable.h"
#include "server/kept.h"
#include "server/lock.h"
#include "server/lookup.h"
#include "server/sanitize.h"
#include "server/say.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRANSFER_MAX (32 << 20) /* of one command: more than any 10-byte command can ask for */

/* ---- names ---- */

void lb_server_target_name(char name[LB_NAME_MAX + 1], const char *disk) {
    const char *base = strrchr(disk, '/') ? strrchr(disk, '/') + 1 : disk;
    size_t len = strlen(base);
    const char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base)
        len = (size_t)(dot - base);
    struct lb_text text = lb_text(name, LB_NAME_MAX + 1);
    lb_text_add(&text, "iqn.2026-11.org.lunboot:");
    for (size_t i = 0; i < LB_MIN(len, 64); i++) {
        uint8_t c = lb_ascii_lower((uint8_t)base[i]);
        bool is_fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
        lb_text_add(&text, "%c", is_fit ? c : '-');
    }
}

static void name_base(const struct lb_server_machines *machines,
                      struct lb_server_machine *machine) {
    char disk_name[LB_NAME_MAX + 1];
    const char *given = machines->settings->target;
    lb_server_target_name(disk_name, machine->image[0] ? machine->image : machine->disk->path);
    lb_format(machine->base_name, sizeof machine->base_name, "%.*s%s%s", LB_NAME_MAX - 64,
              given[0] ? given : disk_name, machine->name[0] ? ":" : "", machine->name);
}

/* A node that nobody may log in to, and nobody is told of. */
static void hide_node(struct lb_target *node) {
    static const char *const nobody[] = {"-"};
    node->name[0] = '\0';
    node->initiators = nobody;
    node->initiator_count = LB_COUNT(nobody);
}

static void show_node(struct lb_server_machine *machine, uint32_t boot) {
    struct lb_target *node = &machine->nodes[boot % 2];
    lb_format(node->name, sizeof node->name, machine->writes == LB_WRITES_DROP ? "%s.g%u" : "%s",
              machine->base_name, boot);
    node->initiators = &machine->initiator;
    node->initiator_count = machine->initiator != NULL;
    node->header_digest = node->data_digest = LB_DIGEST_PREFER; /* RFC 7143 13.1: as is offered */
}

/* The boot that has the overlay, and the one that is offered, which is the same or the next. */
static void name_nodes(struct lb_server_machines *machines, struct lb_server_machine *machine) {
    machines->stamp++;
    hide_node(&machine->nodes[0]);
    hide_node(&machine->nodes[1]);
    show_node(machine, machine->head.generation);
    show_node(machine, machine->offered);
    machine->node = &machine->nodes[machine->offered % 2];
}

uint32_t lb_server_machine_boot(const struct lb_server_machine *machine,
                                const struct lb_target *node) {
    return node == machine->node ? machine->offered : machine->head.generation;
}

/* NAA 3, locally assigned (SPC-4 7.8.6.6.4): of the name alone, so that a boot changes nothing. */
static uint64_t identity(const char *name) {
    static const struct lb_hash_key key = {0};
    return UINT64_C(3) << 60 | lb_siphash(&key, lb_bytes_of_text(name)) >> 4;
}

void lb_server_machine_folder(const struct lb_server_machines *machines,
                              const struct lb_server_machine *machine,
                              char path[LB_SERVER_PATH_MAX + 64]) {
    lb_format(path, LB_SERVER_PATH_MAX + 64, "%s/%s", machines->settings->overlays, machine->name);
}

/* ---- disks ---- */

static struct lb_server_disk *find_disk(struct lb_server_machines *machines, const char *path,
                                        bool is_written, struct lb_server_error *error) {
    bool read_only = !is_written || machines->settings->read_only;
    struct stat status;
    for (size_t i = 0; i < machines->disk_count; i++) {
        struct lb_server_disk *disk = &machines->disks[i];
        if (lb_streq(disk->path, path) && disk->storage.read_only == read_only)
            return disk;
    }
    size_t at = 0;
    while (at < machines->disk_count && machines->disks[at].path[0] != '\0')
        at++;
    struct lb_server_disk *disk = &machines->disks[at];
    if (at == LB_COUNT(machines->disks)) {
        lb_server_fail(error, "serve fewer disks", "there are %zu disks already", at);
        return NULL;
    }
    if (!lb_storage_open(&disk->storage, path, read_only, error))
        return NULL;
    lb_text_copy(disk->path, sizeof disk->path, lb_bytes_of_text(path));
    disk->changed_ns = 0;
    if (fstat(disk->storage.fd, &status) == 0 && S_ISREG(status.st_mode))
        disk->changed_ns = (uint64_t)status.st_mtim.tv_sec * UINT64_C(1000000000) +
                           (uint64_t)status.st_mtim.tv_nsec;
    machines->disk_count = LB_MAX(machines->disk_count, at + 1);
    return disk;
}

/* The newest version of its image. */
static struct lb_server_disk *find_newest(struct lb_server_machines *machines,
                                          const struct lb_server_machine *machine,
                                          struct lb_server_error *error) {
    struct lb_image image = {.version =
                                 lb_images_newest(machines->settings->state, machine->image)};
    char path[LB_IMAGE_PATH_MAX], hint[LB_SERVER_IMAGE_MAX + 40];
    lb_format(image.name, sizeof image.name, "%s", machine->image);
    lb_image_path(machines->settings->state, &image, path);
    lb_format(hint, sizeof hint, "lunbootctl image add FILE %s", machine->image);
    if (image.version > 0)
        return find_disk(machines, path, false, error);
    lb_server_fail(error, hint, "there is no image %s", machine->image);
    return NULL;
}

/* A machine that has begun stays with its version until it begins anew. */
static struct lb_server_disk *choose_disk(struct lb_server_machines *machines,
                                          const struct lb_server_machine *machine, const char *disk,
                                          struct lb_server_error *error) {
    const struct lb_server_head *head = &machine->head;
    if (machine->image[0] == '\0')
        return find_disk(machines, disk, machine->writes == LB_WRITES_DIRECT, error);
    struct lb_image image = lb_image_of_path(machines->settings->state, head->base);
    struct lb_server_error gone = {0};
    struct lb_server_disk *own = NULL;
    if (head->is_used && image.version > 0 && lb_streq(image.name, machine->image))
        own = find_disk(machines, head->base, false, &gone);
    return own != NULL ? own : find_newest(machines, machine, error);
}

/* The size is that of its disk. An overlay gives blocks back, and a raw file does where its file
 * system can, and where it may be written. */
uint32_t lb_server_disk_block_bytes(const struct lb_server_machines *machines,
                                    const struct lb_server_disk *disk) {
    switch ((enum lb_server_block_size)machines->settings->block_size) {
    case LB_BLOCK_SIZE_512:
        return 512;
    case LB_BLOCK_SIZE_4096:
        return 4096;
    case LB_BLOCK_SIZE_AUTO:
        break;
    }
    return disk->storage.block_bytes;
}

static void fit_unit(const struct lb_server_machines *machines, struct lb_server_machine *machine) {
    bool is_file = machine->disk->changed_ns != 0;
    uint32_t block_bytes = lb_server_disk_block_bytes(machines, machine->disk);
    machine->unit.block_bytes = block_bytes;
    machine->unit.physical_exponent = block_bytes == 512 ? 3 : 0; /* 4 KiB: a page */
    machine->unit.is_thin = machine->writes != LB_WRITES_DIRECT || is_file;
    machine->unit.blocks = machine->disk->storage.bytes / block_bytes;
    if (machine->writes != LB_WRITES_DIRECT) {
        machine->unit.can_sanitize = true;
        machine->unit.atomic_blocks = LB_ATOMIC_MAX / block_bytes;
        machine->unit.max_transfer_blocks = TRANSFER_MAX / block_bytes;
    }
    machine->unit.read_only =
        machine->writes == LB_WRITES_DIRECT && machine->disk->storage.read_only;
    machine->unit.is_for_all = machine->unit.read_only && machine->name[0] == '\0';
}

/* ---- machines ---- */

/* Whether the overlay of this head lies over the machine's disk as it is. */
static bool is_over(const struct lb_server_head *head, const struct lb_server_disk *disk) {
    return head->base_bytes == disk->storage.bytes && head->base_changed_ns == disk->changed_ns &&
           lb_streq(head->base, disk->path);
}

bool lb_server_machine_has_begun(const struct lb_server_machine *machine) {
    return !machine->is_gone && machine->writes != LB_WRITES_DIRECT && machine->head.is_used &&
           is_over(&machine->head, machine->disk);
}

/* The overlay lies over the disk as it is now. */
static void begin_head(struct lb_server_machine *machine) {
    machine->head.base_bytes = machine->disk->storage.bytes;
    machine->head.base_changed_ns = machine->disk->changed_ns;
    memcpy(machine->head.mac, machine->mac, 6);
    lb_text_copy(machine->head.base, sizeof machine->head.base,
                 lb_bytes_of_text(machine->disk->path));
}

static void load_head(const struct lb_server_machines *machines,
                      struct lb_server_machine *machine) {
    char folder[LB_SERVER_PATH_MAX + 64];
    lb_server_machine_folder(machines, machine, folder);
    if (!lb_server_head_load(folder, &machine->head))
        machine->head = (struct lb_server_head){.generation = 1};
}

/* What proves who logs in to its nodes. */
static void guard_nodes(struct lb_server_machine *machine, const struct lb_chap_algs *algs) {
    const struct lb_server_chap *chap = machine->chap;
    struct lb_target *node = &machine->nodes[0];
    machine->initiator = machine->initiator_name[0] != '\0' ? machine->initiator_name : NULL;
    machine->chap = NULL; /* settings come and go */
    if (chap != NULL && chap->name[0] != '\0') {
        memcpy(machine->account.name, chap->name, sizeof machine->account.name);
        memcpy(machine->account.secret, chap->secret.bytes, chap->secret.len);
        machine->account.secret_len = chap->secret.len;
        node->accounts = &machine->account;
        node->account_count = 1;
        node->chap_algs = *algs;
    }
    if (node->account_count > 0 && chap->target_secret.len > 0) {
        lb_format(node->own.name, sizeof node->own.name, "%s",
                  chap->target_name[0] != '\0' ? chap->target_name : machine->base_name);
        memcpy(node->own.secret, chap->target_secret.bytes, chap->target_secret.len);
        node->own.secret_len = chap->target_secret.len;
    }
    machine->nodes[1] = machine->nodes[0];
}

/* A machine whose name, mac, uuid, writes, initiator and chap are set is there from here on. */
static bool add(struct lb_server_machines *machines, const struct lb_server_machine *machine,
                const char *disk, struct lb_server_error *error) {
    size_t at = machines->gone_count > 0 ? 0 : machines->count;
    while (at < machines->count && !machines->list[at].is_gone)
        at++;
    if (at == LB_SERVER_MACHINES_MAX)
        return lb_server_fail(error, "serve the others by another lunbootd",
                              "there are %d machines already", LB_SERVER_MACHINES_MAX);
    struct lb_server_machine *added = &machines->list[at];
    struct lb_server_home home = added->home;
    *added = *machine;
    added->home = home;
    added->is_gone = true; /* until all is well */
    added->nodes = &machines->nodes[2 * at];
    added->nodes[0] = added->nodes[1] = (struct lb_target){0};
    hide_node(&added->nodes[0]);
    hide_node(&added->nodes[1]);
    if (added->writes != LB_WRITES_DIRECT)
        load_head(machines, added);
    added->disk = choose_disk(machines, added, disk, error);
    if (added->disk == NULL)
        return false;
    if (added->head.base[0] == '\0' && added->writes != LB_WRITES_DIRECT)
        begin_head(added);
    name_base(machines, added);
    added->offered = added->head.generation;
    added->unit = (struct lb_scsi_unit){
        .naa = identity(added->base_name),
        .is_removable = machines->settings->removable,
        .can_copy = true,
    };
    fit_unit(machines, added);
    added->unit.registrations = added->registrations;
    added->unit.registration_cap = LB_COUNT(added->registrations);
    added->unit.can_keep = true;
    lb_format(added->unit.serial, sizeof added->unit.serial, "%016llx",
              (unsigned long long)added->unit.naa);
    lb_server_kept_load(machines->settings->state, added);
    added->nodes[0].luns[0] = &added->unit;
    guard_nodes(added, &machines->settings->chap_algs);
    name_nodes(machines, added);
    added->is_gone = false;
    if (at < machines->count)
        machines->gone_count--;
    else
        machines->count = at + 1;
    machines->shown[2 * at] = &added->nodes[0];
    machines->shown[2 * at + 1] = &added->nodes[1];
    lb_lookup_add(machines, added);
    return true;
}

bool lb_server_machines_add(struct lb_server_machines *machines,
                            const struct lb_server_machine_settings *section,
                            struct lb_server_error *error) {
    const struct lb_server_settings *settings = machines->settings;
    struct lb_server_machine machine = {
        .is_section = true,
        .writes = section->writes == LB_WRITES_AS_ALL ? settings->writes : section->writes};
    memcpy(machine.initiator_name, section->initiator, sizeof machine.initiator_name);
    if (section->has_chap)
        machine.chap = section->chap.name[0] != '\0' ? &section->chap : &settings->chap;
    memcpy(machine.name, section->name, sizeof machine.name);
    memcpy(machine.mac, section->mac, sizeof machine.mac);
    memcpy(machine.uuid, section->uuid, sizeof machine.uuid);
    struct lb_server_disk_choice choice = lb_server_settings_disk(settings, section);
    lb_format(machine.image, sizeof machine.image, "%s", choice.image);
    return add(machines, &machine, choice.disk, error);
}

static struct lb_server_machine *add_unknown(struct lb_server_machines *machines,
                                             const uint8_t mac[6]) {
    struct lb_server_machine machine = {.writes = machines->settings->writes,
                                        .chap = &machines->settings->chap};
    struct lb_server_error error = {0};
    lb_format(machine.image, sizeof machine.image, "%s", machines->settings->image);
    memcpy(machine.mac, mac, 6);
    lb_format(machine.name, sizeof machine.name, "%02x-%02x-%02x-%02x-%02x-%02x", mac[0], mac[1],
              mac[2], mac[3], mac[4], mac[5]);
    if (add(machines, &machine, machines->settings->disk, &error))
        return lb_server_machines_named(machines, lb_bytes_of_text(machine.name));
    const struct lb_event event = {.kind = LB_EVENT_TROUBLE, .mac = mac, .hint = error.hint};
    lb_server_tell(&event, "gets no disk: %s", error.what);
    return NULL;
}

/* Unknown machines of an earlier run: their systems may be running, and log in again without asking
 * for an address. */
static void add_known(struct lb_server_machines *machines) {
    DIR *folder = opendir(machines->settings->overlays);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[LB_SERVER_PATH_MAX + 264];
        struct lb_server_head head;
        lb_format(path, sizeof path, "%s/%s", machines->settings->overlays, entry->d_name);
        if (entry->d_name[0] != '.' && lb_server_head_load(path, &head) &&
            lb_mac_is_set(head.mac) && machines->count < LB_SERVER_MACHINES_MAX)
            (void)lb_server_machines_find(machines, head.mac, lb_bytes(NULL, 0), false);
    }
    if (folder != NULL)
        closedir(folder);
}

static bool has_disk_for_all(const struct lb_server_settings *settings) {
    return settings->disk[0] != '\0' || settings->image[0] != '\0';
}

/* Sections with an image are served from the time that it is there. */
void lb_server_machines_refresh(struct lb_server_machines *machines) {
    const struct lb_server_settings *settings = machines->settings;
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *section = &settings->machines[i];
        struct lb_server_error error = {0};
        if (lb_server_machines_named(machines, lb_bytes_of_text(section->name)) == NULL &&
            !lb_server_machines_add(machines, section, &error))
            lb_server_say(section->name, "gets no disk: %s; try: %s", error.what, error.hint);
    }
}

/* Boots that were offered by an earlier run. One that has begun since is in its overlay's head. */
static bool read_offers(struct lb_server_machines *machines, struct lb_server_error *error) {
    struct lb_store_machine kept;
    while (machines->store != NULL && lb_server_store_next_machine(machines->store, &kept, error)) {
        struct lb_server_machine *machine =
            lb_server_machines_named(machines, lb_bytes_of_text(kept.name));
        if (machine == NULL || machine->writes != LB_WRITES_DROP ||
            kept.offered != machine->head.generation + 1)
            continue;
        machine->offered = kept.offered;
        name_nodes(machines, machine);
    }
    return error->what[0] == '\0';
}

static bool allocate(struct lb_server_machines *machines) {
    machines->disk_count = machines->count = machines->gone_count = 0;
    machines->stamp = 1;
    machines->list = calloc(LB_SERVER_MACHINES_MAX, sizeof *machines->list);
    machines->nodes = calloc(2 * LB_SERVER_MACHINES_MAX, sizeof *machines->nodes);
    machines->shown = calloc(2 * LB_SERVER_MACHINES_MAX, sizeof *machines->shown);
    return lb_index_open(&machines->index, LB_SERVER_MACHINES_MAX) && machines->list != NULL &&
           machines->nodes != NULL && machines->shown != NULL;
}

bool lb_server_machines_open(struct lb_server_machines *machines,
                             const struct lb_server_settings *settings,
                             struct lb_server_store *store, struct lb_server_error *error) {
    struct lb_server_machine all = {.writes = LB_WRITES_DIRECT, .chap = &settings->chap};
    machines->settings = settings;
    machines->store = store;
    if (!allocate(machines))
        return lb_server_fail(error, "", "there is no memory for machines");
    bool serves_all = has_disk_for_all(settings) && settings->unknown == LB_UNKNOWN_SERVE;
    if (serves_all && settings->writes == LB_WRITES_DIRECT &&
        !add(machines, &all, settings->disk, error))
        return false;
    if (serves_all && settings->writes != LB_WRITES_DIRECT && settings->disk[0] != '\0' &&
        find_disk(machines, settings->disk, false, error) == NULL)
        return false;
    for (size_t i = 0; i < settings->machine_count; i++) {
        const struct lb_server_machine_settings *section = &settings->machines[i];
        if (lb_server_settings_disk(settings, section).image[0] == '\0' &&
            !lb_server_machines_add(machines, section, error))
            return false;
    }
    lb_server_machines_refresh(machines);
    if (serves_all && settings->writes != LB_WRITES_DIRECT)
        add_known(machines);
    return read_offers(machines, error);
}

static void close_overlay(struct lb_server_machine *machine) {
    lb_server_sanitize_stop(machine);
    if (machine->is_open)
        lb_storage_close(&machine->overlay);
    machine->is_open = false;
}

void lb_server_machines_close(struct lb_server_machines *machines) {
    for (size_t i = 0; i < machines->count; i++)
        close_overlay(&machines->list[i]);
    for (size_t i = 0; i < machines->disk_count; i++)
        lb_storage_close(&machines->disks[i].storage);
    lb_wipe(machines->list, machines->count * sizeof *machines->list); /* they have secrets */
    lb_wipe(machines->nodes, 2 * machines->count * sizeof *machines->nodes);
    free(machines->list);
    free(machines->nodes);
    free(machines->shown);
    lb_index_close(&machines->index);
    machines->list = NULL;
    machines->nodes = NULL;
    machines->shown = NULL;
    machines->count = machines->gone_count = machines->disk_count = 0;
}

/* ---- which machine ---- */

/* The offer is durable before it is made, see ticket. */
static void offer_next(struct lb_server_machines *machines, struct lb_server_machine *machine) {
    struct lb_store_machine kept = {0};
    machine->offered = machine->head.generation + 1;
    name_nodes(machines, machine);
    memcpy(kept.name, machine->name, sizeof kept.name);
    memcpy(kept.mac, machine->mac, sizeof kept.mac);
    kept.offered = machine->offered;
    machine->ticket = lb_server_store_put_machine(machines->store, &kept);
    if (machine->ticket > 0)
        return;
    machine->offered = machine->head.generation; /* a storm: it asks again */
    name_nodes(machines, machine);
}

static void begin_boot(struct lb_server_machines *machines, struct lb_server_machine *machine) {
    if (!machine->is_busy) /* it is not ejected any more */
        machine->nodes[0].login_status = machine->nodes[1].login_status = 0;
    if (machine->writes != LB_WRITES_DROP || !machine->head.is_used || machine->is_maintained)
        return;
    offer_next(machines, machine);
}

struct lb_server_machine *lb_server_machines_find(struct lb_server_machines *machines,
                                                  const uint8_t mac[6], struct lb_bytes uuid,
                                                  bool is_boot) {
    const struct lb_server_settings *settings = machines->settings;
    struct lb_server_machine *machine = lb_lookup_known(machines, mac, uuid);
    if (machine == NULL && has_disk_for_all(settings) && settings->unknown == LB_UNKNOWN_SERVE)
        machine = settings->writes == LB_WRITES_DIRECT ? &machines->list[0]
                  : lb_mac_is_set(mac)                 ? add_unknown(machines, mac)
                                                       : NULL;
    if (machine != NULL)
        machine->asked = ++machines->asked;
    if (machine != NULL && is_boot)
        begin_boot(machines, machine);
    return machine;
}

uint64_t lb_server_machines_stamp(const struct lb_server_machines *machines) {
    return machines->stamp;
}

struct lb_server_machine *lb_server_machines_of(struct lb_server_machines *machines,
                                                const struct lb_target *node) {
    return node == NULL ? NULL : &machines->list[(node - machines->nodes) / 2];
}

/* ---- use ---- */

static bool open_overlay(struct lb_server_machines *machines, struct lb_server_machine *machine,
                         const char *folder, struct lb_server_error *error) {
    uint64_t limit = (uint64_t)machines->settings->overlay_mib << 20;
    char hint[LB_SERVER_PATH_MAX + 160], overlays[LB_SERVER_PATH_MAX + 1];
    bool is_new;
    if (!is_over(&machine->head, machine->disk) && machine->writes == LB_WRITES_KEEP) {
        lb_format(hint, sizeof hint,
                  "bring the old disk back, or remove %s: what the machine wrote is lost then",
                  folder);
        return lb_server_fail(error, hint, "%s has changed since %s began to write over it",
                              machine->disk->path, machine->name);
    }
    lb_format(overlays, sizeof overlays, "%s", machines->settings->overlays);
    (void)lb_durable_make_folder(overlays, &is_new); /* else opening says why */
    machine->is_open = lb_storage_open_overlay(&machine->overlay, &machine->disk->storage, folder,
                                               limit / LB_OVERLAY_BLOCK, error);
    machine->has_said_full = false;
    if (!machine->is_open)
        return false;
    int code = lb_server_sanitize_load(machine, folder);
    if (code == 0)
        return true;
    close_overlay(machine);
    return lb_server_fail(error, "", "what is done to it cannot go on: %s", strerror(code));
}

/* A machine of an image that begins anew has the newest version. */
static bool take_newest(struct lb_server_machines *machines, struct lb_server_machine *machine,
                        const char *folder, struct lb_server_error *error) {
    if (machine->image[0] == '\0')
        return machine->is_open || open_overlay(machines, machine, folder, error);
    struct lb_server_disk *newest = find_newest(machines, machine, error);
    if (newest == NULL)
        return false;
    if (newest == machine->disk && machine->is_open)
        return true;
    close_overlay(machine);
    machine->disk = newest;
    begin_head(machine);
    fit_unit(machines, machine);
    return open_overlay(machines, machine, folder, error);
}

/* The overlay is as the disk is, and the head says so; nobody has a key at it. */
static bool begin_anew(const struct lb_server_machines *machines,
                       struct lb_server_machine *machine) {
    char folder[LB_SERVER_PATH_MAX + 64];
    lb_server_machine_folder(machines, machine, folder);
    errno = lb_server_kept_forget(machines->settings->state, machine);
    if (errno == 0)
        errno = lb_storage_reset(&machine->overlay);
    if (errno == 0)
        errno = lb_server_sanitize_forget(machine, folder);
    machine->head.is_used = true;
    begin_head(machine);
    machine->has_said_full = false;
    return errno == 0;
}

struct lb_server_home *lb_server_machine_home(struct lb_server_machine *machine) {
    return machine->writes == LB_WRITES_DIRECT ? &machine->disk->home : &machine->home;
}

/* It goes on with the boot that has the overlay. */
static bool goes_on(const struct lb_server_machine *machine, uint32_t boot) {
    return boot == machine->head.generation && machine->head.is_used &&
           (is_over(&machine->head, machine->disk) || machine->writes == LB_WRITES_KEEP);
}

struct lb_storage *lb_server_machine_entered(struct lb_server_machine *machine, uint32_t boot) {
    if (machine->writes == LB_WRITES_DIRECT)
        return &machine->disk->storage;
    return machine->is_open && !machine->is_busy && goes_on(machine, boot) ? &machine->overlay
                                                                           : NULL;
}

/* Others leave the machine alone meanwhile, and the lock is theirs while its disk is waited for. */
static void begin_work(struct lb_server_machine *machine) {
    machine->is_at_work = true;
    lb_lock_lend();
}

static void end_work(struct lb_server_machine *machine) {
    lb_lock_unlend();
    machine->is_at_work = false;
}

static bool begin_next(struct lb_server_machines *machines, struct lb_server_machine *machine,
                       uint32_t boot, const char *folder, bool *is_new,
                       struct lb_server_error *error) {
    const struct lb_server_disk *before = machine->disk;
    if (!take_newest(machines, machine, folder, error))
        return false;
    /* Kept data is never dropped: there is none yet. */
    *is_new = machine->writes == LB_WRITES_DROP;
    machine->head.generation = boot;
    if ((*is_new && !begin_anew(machines, machine)) ||
        (machine->head.is_used = true, !lb_server_head_save(folder, &machine->head)))
        return lb_server_fail(error, "see the reason", "%s cannot begin in %s: %s", machine->name,
                              folder, strerror(errno));
    name_nodes(machines, machine); /* the boot before has ended */
    if (machine->disk != before)
        lb_server_machines_free_versions(machines);
    return true;
}

struct lb_storage *lb_server_machine_enter(struct lb_server_machines *machines,
                                           struct lb_server_machine *machine, uint32_t boot,
                                           bool *is_new, struct lb_server_error *error) {
    struct lb_storage *entered = lb_server_machine_entered(machine, boot);
    char folder[LB_SERVER_PATH_MAX + 64];
    *is_new = false;
    if (entered != NULL)
        return entered;
    if (machine->is_busy) {
        lb_server_fail(error, "wait until lunbootctl image commit, or reset, has ended",
                       "a version is being made of it, or it is being reset");
        return NULL;
    }
    lb_server_machine_folder(machines, machine, folder);
    begin_work(machine);
    bool is_in = goes_on(machine, boot)
                     ? machine->is_open || open_overlay(machines, machine, folder, error)
                     : begin_next(machines, machine, boot, folder, is_new, error);
    end_work(machine);
    return is_in ? &machine->overlay : NULL;
}

void lb_server_machine_allow(struct lb_server_machines *machines, struct lb_server_machine *machine,
                             const char *initiator) {
    lb_format(machine->initiator_name, sizeof machine->initiator_name, "%s", initiator);
    machine->initiator = machine->initiator_name[0] != '\0' ? machine->initiator_name : NULL;
    name_nodes(machines, machine);
}

/* ---- maintenance ---- */

static void end_maintenance(const struct lb_server_machines *machines,
                            struct lb_server_machine *machine) {
    struct lb_store_work work = {0};
    machine->is_maintained = false;
    memcpy(work.name, machine->name, sizeof work.name);
    (void)lb_server_store_put_work(machines->store, &work);
    lb_server_store_flush(machines->store);
}

bool lb_server_machine_maintain(struct lb_server_machines *machines,
                                struct lb_server_machine *machine, struct lb_server_error *error) {
    struct lb_store_work work = {0};
    if (machine->image[0] == '\0')
        return lb_server_fail(error, "give it an image: see lunbootctl image add",
                              "%s has no image", machine->name);
    if (machine->writes == LB_WRITES_KEEP)
        return lb_server_fail(error, "lunbootctl image commit makes a version of it at any time",
                              "%s keeps what it writes already", machine->name);
    if (machine->is_maintained)
        return lb_server_fail(error, "lunbootctl image commit ends it, and so does reset",
                              "%s is in maintenance already", machine->name);
    memcpy(work.name, machine->name, sizeof work.name);
    memcpy(work.image, machine->image, sizeof machine->image);
    if (machine->head.is_used)
        offer_next(machines, machine);
    (void)lb_server_store_put_work(machines->store, &work);
    lb_server_store_flush(machines->store);
    machine->is_maintained = true;
    return true;
}

/* Nobody logs in, and the lock is for others while its disk is waited for. */
static void refuse_logins(struct lb_server_machine *machine) {
    machine->is_busy = true;
    machine->nodes[0].login_status = machine->nodes[1].login_status = LB_LOGIN_UNAVAILABLE;
}

static void admit_logins(struct lb_server_machine *machine) {
    machine->is_busy = false;
    machine->nodes[0].login_status = machine->nodes[1].login_status = 0;
}

static bool freeze(struct lb_server_machines *machines, struct lb_server_machine *machine,
                   const char *folder, struct lb_server_error *error) {
    begin_work(machine);
    bool is_open = machine->is_open || open_overlay(machines, machine, folder, error);
    bool is_sanitized = is_open && machine->sanitize == NULL;
    errno = is_sanitized ? lb_overlay_flush(&machine->overlay.overlay) : 0;
    end_work(machine);
    if (!is_open)
        return false;
    if (!is_sanitized)
        return lb_server_fail(error, "wait until lunbootd says that it is sanitized",
                              "the disk of %s is being sanitized, or could not be", machine->name);
    return errno == 0 ||
           lb_server_fail(error, "see the reason", "what %s has written cannot be read: %s",
                          machine->name, strerror(errno));
}

bool lb_server_machine_freeze(struct lb_server_machines *machines,
                              struct lb_server_machine *machine, struct lb_server_error *error) {
    char folder[LB_SERVER_PATH_MAX + 64];
    lb_server_machine_folder(machines, machine, folder);
    refuse_logins(machine);
    bool is_frozen = freeze(machines, machine, folder, error);
    if (!is_frozen)
        admit_logins(machine);
    return is_frozen;
}

bool lb_server_machine_thaw(struct lb_server_machines *machines, struct lb_server_machine *machine,
                            bool is_made, struct lb_server_error *error) {
    admit_logins(machine);
    return !is_made || lb_server_machine_reset(machines, machine, error);
}

void lb_server_machines_close_version(struct lb_server_machines *machines, const char *path) {
    for (size_t i = 0; i < machines->disk_count; i++) {
        struct lb_server_disk *disk = &machines->disks[i];
        struct lb_server_error error = {0};
        if (!lb_streq(disk->path, path))
            continue;
        for (size_t k = 0; k < machines->count; k++) {
            struct lb_server_machine *machine = &machines->list[k];
            if (!machine->is_gone && machine->disk == disk) {
                machine->disk = find_newest(machines, machine, &error);
                fit_unit(machines, machine);
            }
        }
        lb_storage_close(&disk->storage);
        disk->path[0] = '\0';
    }
}

/* ---- reset ---- */

static bool drop_all(struct lb_server_machines *machines, struct lb_server_machine *machine,
                     const char *folder, struct lb_server_error *error) {
    begin_work(machine);
    bool is_taken = take_newest(machines, machine, folder, error);
    bool is_dropped =
        is_taken && begin_anew(machines, machine) && lb_server_head_save(folder, &machine->head);
    int code = errno;
    end_work(machine);
    if (is_dropped)
        end_maintenance(machines, machine);
    return is_dropped ||
           (is_taken && lb_server_fail(error, "see the reason", "%s cannot begin in %s: %s",
                                       machine->name, folder, strerror(code)));
}

bool lb_server_machine_reset(struct lb_server_machines *machines, struct lb_server_machine *machine,
                             struct lb_server_error *error) {
    char folder[LB_SERVER_PATH_MAX + 64];
    lb_server_machine_folder(machines, machine, folder);
    if (machine->writes == LB_WRITES_DIRECT)
        return lb_server_fail(error, "give it writes = keep or writes = drop",
                              "%s writes to the disk itself: there is nothing to drop",
                              machine->name[0] != '\0' ? machine->name
                                                       : "a machine without a section");
    /* Also where its base has changed: that is what a reset is for. */
    if (!machine->is_open && machine->writes == LB_WRITES_KEEP)
        begin_head(machine);
    uint16_t status = machine->nodes[0].login_status; /* one that was ejected stays so */
    refuse_logins(machine);
    bool is_reset = drop_all(machines, machine, folder, error);
    admit_logins(machine);
    machine->nodes[0].login_status = machine->nodes[1].login_status = status;
    if (is_reset)
        lb_server_machines_free_versions(machines);
    return is_reset;
}

void lb_server_machines_forget(struct lb_server_machines *machines,
                               struct lb_server_machine *machine) {
    struct lb_target *nodes = machine->nodes;
    close_overlay(machine);
    lb_lookup_remove(machines, machine);
    machines->gone_count++;
    machines->stamp++;
    *machine = (struct lb_server_machine){
        .is_gone = true, .nodes = nodes, .node = nodes, .home = machine->home};
    hide_node(&nodes[0]);
    hide_node(&nodes[1]);
}
