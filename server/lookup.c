#include "server/lookup.h"
#include "core/names/rootpath.h"
#include <string.h>

static const uint8_t none[16] = {0};

/* ---- keys ---- */

/* The machine that has no name is called "all". */
static const char *name_of(const struct lb_server_machine *machine) {
    return machine->name[0] != '\0' ? machine->name : "all";
}

static uint32_t number_of(const struct lb_server_machines *machines,
                          const struct lb_server_machine *machine) {
    return (uint32_t)(machine - machines->list);
}

struct folded {
    char s[LB_NAME_MAX + 1];
};

/* RFC 3722: names are compared without regard to case. */
static struct folded fold(const char *name) {
    struct folded folded;
    size_t len = 0;
    for (; name[len] != '\0' && len < LB_NAME_MAX; len++)
        folded.s[len] = (char)lb_ascii_lower((uint8_t)name[len]);
    folded.s[len] = '\0';
    return folded;
}

/* Adds or removes the keys that it has. */
static void each_key(struct lb_server_machines *machines, const struct lb_server_machine *machine,
                     void (*act)(struct lb_index *, enum lb_index_kind, struct lb_bytes,
                                 uint32_t)) {
    uint32_t number = number_of(machines, machine);
    struct folded target = fold(machine->base_name);
    act(&machines->index, LB_INDEX_NAME, lb_bytes_of_text(name_of(machine)), number);
    act(&machines->index, LB_INDEX_TARGET, lb_bytes_of_text(target.s), number);
    if (lb_mac_is_set(machine->mac))
        act(&machines->index, LB_INDEX_MAC, lb_bytes(machine->mac, 6), number);
    if (memcmp(machine->uuid, none, 16) != 0)
        act(&machines->index, LB_INDEX_UUID, lb_bytes(machine->uuid, 16), number);
}

void lb_lookup_add(struct lb_server_machines *machines, const struct lb_server_machine *machine) {
    each_key(machines, machine, lb_index_add);
}

void lb_lookup_remove(struct lb_server_machines *machines,
                      const struct lb_server_machine *machine) {
    each_key(machines, machine, lb_index_remove);
}

void lb_server_machine_identify(struct lb_server_machines *machines,
                                struct lb_server_machine *machine, const uint8_t mac[6],
                                const uint8_t uuid[16]) {
    lb_lookup_remove(machines, machine);
    memcpy(machine->mac, mac, sizeof machine->mac);
    memcpy(machine->uuid, uuid, sizeof machine->uuid);
    lb_lookup_add(machines, machine);
    machines->stamp++;
}

/* ---- by card and UUID ---- */

/* Whether it boots by these, and goes before the one that was found: a section goes before what a
 * machine without one has been, and else the earlier one. */
static bool goes_before(const struct lb_server_machine *machine,
                        const struct lb_server_machine *found) {
    if (machine->is_gone || machine->is_leaving)
        return false;
    if (found == NULL || machine->is_section != found->is_section)
        return found == NULL || machine->is_section;
    return machine < found;
}

struct lb_server_machine *lb_lookup_known(struct lb_server_machines *machines, const uint8_t mac[6],
                                          struct lb_bytes uuid) {
    struct lb_server_machine *found = NULL;
    struct lb_index *index = &machines->index;
    uint32_t at =
        lb_mac_is_set(mac) ? lb_index_first(index, LB_INDEX_MAC, lb_bytes(mac, 6)) : LB_INDEX_NONE;
    for (; at != LB_INDEX_NONE; at = lb_index_next(index, LB_INDEX_MAC, at))
        if (memcmp(machines->list[at].mac, mac, 6) == 0 && goes_before(&machines->list[at], found))
            found = &machines->list[at];
    if (uuid.len != 16 || memcmp(uuid.p, none, 16) == 0)
        return found;
    for (at = lb_index_first(index, LB_INDEX_UUID, uuid); at != LB_INDEX_NONE;
         at = lb_index_next(index, LB_INDEX_UUID, at))
        if (memcmp(machines->list[at].uuid, uuid.p, 16) == 0 &&
            goes_before(&machines->list[at], found))
            found = &machines->list[at];
    return found;
}

/* ---- by name ---- */

struct lb_server_machine *lb_server_machines_named(struct lb_server_machines *machines,
                                                   struct lb_bytes word) {
    struct lb_index *index = &machines->index;
    uint8_t mac[6];
    size_t len;
    for (uint32_t at = lb_index_first(index, LB_INDEX_NAME, word); at != LB_INDEX_NONE;
         at = lb_index_next(index, LB_INDEX_NAME, at))
        if (lb_text_is(word, name_of(&machines->list[at])))
            return &machines->list[at];
    if (!lb_parse_hex_bytes(word, lb_span(mac, sizeof mac), &len) || len != sizeof mac)
        return NULL;
    for (uint32_t at = lb_index_first(index, LB_INDEX_MAC, lb_bytes(mac, 6)); at != LB_INDEX_NONE;
         at = lb_index_next(index, LB_INDEX_MAC, at))
        if (memcmp(machines->list[at].mac, mac, sizeof mac) == 0)
            return &machines->list[at];
    return NULL;
}

/* The target of this name. A name without .gN, which a person has configured, means the boot that
 * has the overlay. key: what it is indexed by. */
static struct lb_target *node_by(struct lb_server_machines *machines, struct lb_bytes key,
                                 const char *name) {
    for (uint32_t at = lb_index_first(&machines->index, LB_INDEX_TARGET, key); at != LB_INDEX_NONE;
         at = lb_index_next(&machines->index, LB_INDEX_TARGET, at)) {
        const struct lb_server_machine *machine = &machines->list[at];
        struct lb_target *nodes = &machines->nodes[2 * at];
        for (unsigned i = 0; i < 2; i++)
            if (lb_iscsi_names_equal(nodes[i].name, name))
                return &nodes[i];
        if (lb_iscsi_names_equal(machine->base_name, name))
            return &nodes[machine->head.generation % 2];
    }
    return NULL;
}

struct lb_target *lb_server_machines_node(struct lb_server_machines *machines, const char *name) {
    struct folded folded = fold(name);
    struct lb_bytes key = lb_bytes_of_text(folded.s);
    struct lb_target *node = node_by(machines, key, name);
    while (key.len > 0 && key.p[key.len - 1] != '.')
        key.len--;
    if (node != NULL || key.len < 2)
        return node;
    key.len--; /* NAME.gN: of a boot */
    return node_by(machines, key, name);
}

bool lb_server_machine_initiator(const struct lb_server_machine *machine, unsigned which,
                                 char name[LB_NAME_MAX + 1]) {
    if (machine->initiator_name[0] != '\0') {
        lb_format(name, LB_NAME_MAX + 1, "%s", machine->initiator_name);
        return which == 0;
    }
    bool has_uuid = memcmp(machine->uuid, none, sizeof machine->uuid) != 0;
    if (which == 0 && lb_mac_is_set(machine->mac))
        lb_iscsi_name_default(name, NULL, machine->mac);
    else if (which == 1 && has_uuid)
        lb_iscsi_name_default(name, machine->uuid, none);
    else
        return false;
    return true;
}
