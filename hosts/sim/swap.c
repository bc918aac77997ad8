/* Another disk in the place of the one that was booted: worlds in which a LUN is mapped to a second
 * disk while the target is away, in a redirect, or under a session, which is told by UNIT
 * ATTENTION.
 *
 * What was booted is seen when the disk is READY. From then on every block that is read must be of
 * that disk, and every write must land on it. The dice are thrown aside: other worlds stay as they
 * are. */
#include "hosts/sim/sim.h"
#include <string.h>

#define FIRST_NAA     UINT64_C(0x6001405000000001)
#define SECOND_NAA    UINT64_C(0x6001405000000002)
#define SECOND_SERIAL "SECOND"
#define AT_FIRST      41  /* purposes of dice */
#define AT_SWAPS      100 /* and so on */

static uint32_t throw_aside(struct sim *sim, uint32_t n) {
    return sim_aside(&sim->world, AT_SWAPS + sim->swap.throws++) % n;
}

static void map(struct sim *sim, unsigned portal) {
    struct sim_swap *swap = &sim->swap;
    struct lb_scsi_unit *lun = &sim->portals[portal].lun;
    bool second = swap->is_second[portal];
    lun->naa = second ? SECOND_NAA : FIRST_NAA;
    strcpy(lun->serial, second ? SECOND_SERIAL : "");
    lun->blocks = second ? swap->second_blocks : swap->first_blocks;
}

void sim_swap_init(struct sim *sim) {
    struct sim_swap *swap = &sim->swap;
    const struct sim_plan *plan = &sim->plan;
    uint32_t kind = sim_aside(&sim->world, AT_FIRST);
    bool can = !plan->is_clean && !plan->is_hostile && !plan->is_probe;
    bool has_names = (plan->silent & LB_SILENT_VPD) == 0;
    swap->is_on = can && has_names && plan->wrong == SIM_WRONG_NONE && kind % 5 == 0;
    swap->first_blocks = sim->disk.blocks;
    swap->second_blocks =
        kind / 8 % 2 ? swap->first_blocks : 16 + kind / 16 % (SIM_BLOCKS_MAX - 16);
}

static void swap(struct sim *sim, unsigned portal) {
    struct sim_swap *swap = &sim->swap;
    swap->is_second[portal] = !swap->is_second[portal];
    swap->changes[portal]++;
    map(sim, portal);
    sim_say(&sim->world, "target", "portal %u has the %s disk", portal,
            swap->is_second[portal] ? "second" : "first");
    sim_saw(&sim->world, SIM_SWAPPED);
}

/* Sessions that are there are told by one of the UNIT ATTENTIONs that may mean it. */
void sim_swap_maybe(struct sim *sim, unsigned portal, uint32_t one_in) {
    static const uint8_t causes[][2] = {{0x3f, 0x03}, {0x3f, 0x0e}, {0x28, 0x00},
                                        {0x29, 0x00}, {0x2a, 0x09}, {0x3f, 0x05}};
    struct sim_portal *at = &sim->portals[portal];
    if (!sim->swap.is_on || sim_is_calm(&sim->world) || throw_aside(sim, one_in) != 0)
        return;
    const uint8_t *cause = causes[throw_aside(sim, LB_COUNT(causes))];
    swap(sim, portal);
    lb_target_attention(&at->server, &at->node, 0, cause[0], cause[1]);
}

/* ---- which disk ------------------------------------------------------------------------------ */

/* A command is the affair of the disk that was there when it came, with all of its pieces. */
bool sim_swap_is_other(struct sim *sim, unsigned conn, const struct lb_target_io *io) {
    struct sim_swap *swap = &sim->swap;
    const struct lb_target_task *task = (const struct lb_target_task *)(const void *)io;
    bool *is_second = &swap->is_second_task[conn][task - sim->ends[conn]->work->tasks];
    if (task->piece == 0)
        *is_second = swap->is_second[sim->conns[conn].portal];
    return *is_second != swap->booted_second;
}

void sim_swap_accepted(struct sim *sim, unsigned conn) {
    sim->swap.seen[conn] = sim->swap.changes[sim->conns[conn].portal];
}

/* The session began with this disk, so it was there for all to see. Under a session that saw a
 * change a write may have been on its way already; that it is not told as done is seen
 * elsewhere. */
void sim_swap_written(struct sim *sim, unsigned conn, const struct lb_target_io *io) {
    if (sim->swap.seen[conn] == sim->swap.changes[sim->conns[conn].portal])
        sim_violation(&sim->world, "block %llu is written on another disk than was booted",
                      (unsigned long long)io->lba);
}

void sim_swap_read(const struct sim *sim, const struct lb_target_io *io, uint8_t *to) {
    for (uint32_t i = 0; i < io->blocks; i++)
        sim_block_fill(to + (size_t)i * sim->disk.block_bytes, sim->disk.block_bytes,
                       SIM_SWAP_VERSION, io->lba + i);
}

uint64_t sim_swap_blocks(const struct sim *sim, bool is_other) {
    bool second = is_other != sim->swap.booted_second;
    return second ? sim->swap.second_blocks : sim->swap.first_blocks;
}

/* ---- what the engine says -------------------------------------------------------------------- */

/* What the session was not told yet, as it has asked nothing since or is gone, makes no answer
 * wrong: the next request, or the next login, meets it. */
bool sim_swap_is_told(const struct sim *sim) {
    for (int i = 0; i < SIM_CONNS; i++) {
        const struct sim_conn *conn = &sim->conns[i];
        if (conn->state != SIM_CONN_FREE && conn->has_client && conn->has_server &&
            conn->service == SIM_AT_TARGETS && lb_target_is_full_feature(sim->ends[i]))
            return sim->ends[i]->nexuses[0].attention_count == 0;
    }
    return false;
}

void sim_swap_ready(struct sim *sim) {
    struct sim_swap *swap = &sim->swap;
    const struct lb_disk_info *info = lb_boot_disk(&sim->boot);
    if (!swap->is_on)
        return;
    /* A question that was not answered in time is given up: one of them may be missing. */
    const char *id = info->id[0] != '\0' ? info->id : NULL;
    const char *serial = info->serial[0] != '\0' ? info->serial : NULL;
    bool id_is_second = id != NULL && strcmp(id, "naa.6001405000000002") == 0;
    bool serial_is_second = serial != NULL && strcmp(serial, SECOND_SERIAL) == 0;
    swap->booted_second = id_is_second || serial_is_second;
    bool is_whole = id == NULL || serial == NULL || id_is_second == serial_is_second;
    sim->disk.blocks = swap->booted_second ? swap->second_blocks : swap->first_blocks;
    if (!is_whole && sim_swap_is_told(sim))
        sim_violation(&sim->world, "the disk is told as %s with the serial number %s", info->id,
                      info->serial);
}

void sim_swap_check_error(struct sim *sim, enum lb_code code) {
    if (code == LB_E_DISK_CHANGED && !sim->world.seen[SIM_SWAPPED] && !sim->disk.distrusted)
        sim_violation(&sim->world, "the disk is told as changed, and it is not");
}
