/* What the targets ask of their disk: answered at once, late, or with a refusal. */
#include "hosts/sim/sim.h"
#include <stdlib.h>

static const struct lb_target_answer medium_read = {
    .status = LB_SCSI_CHECK_CONDITION, .key = 3, .asc = 0x11};
static const struct lb_target_answer medium_write = {
    .status = LB_SCSI_CHECK_CONDITION, .key = 3, .asc = 0x0c};

/* ---- ios and their memory -------------------------------------------------------------------- */

static struct sim_io *new_io(struct sim *sim, unsigned conn, struct lb_target_io *io) {
    for (uint32_t i = 0; i < SIM_IOS; i++) {
        struct sim_io *slot = &sim->ios[i];
        if (slot->in_use)
            continue;
        *slot = (struct sim_io){.in_use = true, .conn = conn, .io = io};
        io->user = i + 1;
        return slot;
    }
    abort(); /* more than all tasks of some connections */
}

static struct sim_io *io_of(struct sim *sim, const struct lb_target_io *io) {
    if (io->user == 0 || io->user > SIM_IOS || !sim->ios[io->user - 1].in_use)
        return NULL;
    return &sim->ios[io->user - 1];
}

static void drop_io(struct sim_io *slot) {
    if (slot->memory != NULL)
        memset(slot->memory, 0xdd, slot->len);
    free(slot->memory);
    *slot = (struct sim_io){.in_use = false};
}

static struct lb_span give_memory(struct sim_io *slot, uint32_t len) {
    slot->memory = malloc(LB_MAX(len, 1U));
    if (slot->memory == NULL)
        abort();
    slot->len = len;
    return lb_span(slot->memory, len);
}

/* ---- writes ---------------------------------------------------------------------------------- */

/* A write that was completed must not come to the disk once more: it would undo later ones. */
static bool may_write(struct sim *sim, uint32_t version, uint64_t lba) {
    enum sim_version state = SIM_VERSION_NONE;
    if (version <= sim->work.versions && sim->work.version_state != NULL)
        state = (enum sim_version)sim->work.version_state[version];
    if (state == SIM_VERSION_OUT || state == SIM_VERSION_FAILED)
        return true;
    sim_violation(&sim->world, "block %llu is written by write %u, which %s",
                  (unsigned long long)lba, version,
                  state == SIM_VERSION_DONE ? "was completed before" : "was never submitted");
    return false;
}

static void write_blocks(struct sim *sim, const struct sim_io *slot, const uint8_t *bytes) {
    uint32_t block_bytes = sim->disk.block_bytes;
    const struct lb_target_io *io = slot->io;
    if (slot->is_other) {
        sim_swap_written(sim, slot->conn, io);
        return;
    }
    for (uint32_t i = 0; i < io->blocks; i++) {
        uint32_t version;
        const uint8_t *block = bytes + (size_t)i * block_bytes;
        if (sim->disk.distrusted)
            return;
        if (!sim_block_version(block, block_bytes, io->lba + i, &version))
            sim_violation(&sim->world, "block %llu is written with what nobody submitted",
                          (unsigned long long)(io->lba + i));
        else if (may_write(sim, version, io->lba + i))
            sim_disk_write(&sim->disk, io->lba + i, version, io->force_unit_access);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool refuses(struct sim *sim, const struct lb_target_io *io,
                    struct lb_target_answer *answer) {
    struct sim_world *world = &sim->world;
    if (sim_happens(world, SIM_BUSY))
        *answer = (struct lb_target_answer){.status = LB_SCSI_BUSY};
    else if (sim_happens(world, SIM_TASK_SET_FULL))
        *answer = (struct lb_target_answer){.status = LB_SCSI_TASK_SET_FULL};
    else if (sim_happens(world, SIM_MEDIUM_ERROR))
        *answer = io->kind == LB_IO_READ ? medium_read : medium_write;
    else
        return false;
    return true;
}

static const struct lb_target_answer not_ours = {
    .status = LB_SCSI_CHECK_CONDITION, .key = 5, .asc = 0x20};

/* Bytes that an enemy changed may be any command. */
static struct lb_target_answer refuse_foreign(struct sim *sim) {
    if (!sim->plan.is_hostile)
        sim_violation(&sim->world, "a target's disk is asked for what our initiator never asks");
    return not_ours;
}

static struct lb_target_answer carry_out(struct sim *sim, struct sim_io *slot) {
    struct lb_target_io *io = slot->io;
    struct lb_target_answer answer = {.status = LB_SCSI_GOOD};
    if (refuses(sim, io, &answer)) /* also before the data of a write has come */
        return answer;
    switch (io->kind) {
    case LB_IO_READ:
        answer.memory = give_memory(slot, io->len);
        if (slot->is_other)
            sim_swap_read(sim, io, answer.memory.p);
        else
            sim_disk_read(&sim->disk, io->lba, io->blocks, answer.memory.p);
        break;
    case LB_IO_BUFFER:
        answer.memory = give_memory(slot, io->len);
        break;
    case LB_IO_WRITE:
        write_blocks(sim, slot, io->buffer.p);
        if (sim_happens(&sim->world, SIM_RESTARTED_IN_WRITE))
            sim_after(&sim->world, sim_skewed(&sim->world, 0, 20000), SIM_RESTART, 0, 0);
        break;
    case LB_IO_FLUSH:
        if (!slot->is_other)
            sim_disk_flush(&sim->disk);
        break;
    case LB_IO_RELEASE:
        break;
    case LB_IO_OR:
    case LB_IO_COMPARE:
    case LB_IO_COMPARE_AND_WRITE:
    case LB_IO_UNMAP:
    case LB_IO_STATUS:
    case LB_IO_KEEP:
    case LB_IO_COPY:
    case LB_IO_SANITIZE:
        return refuse_foreign(sim);
    }
    return answer;
}

static void answer_io(struct sim *sim, uint32_t number) {
    struct sim_io *slot = &sim->ios[number];
    if (!slot->in_use || !slot->is_asked)
        return;
    unsigned conn = slot->conn;
    struct lb_target_io *io = slot->io;
    struct lb_target_answer answer = carry_out(sim, slot);
    slot->is_asked = false;
    /* A flush and what was refused have no memory; a write's is ours again. */
    if (slot->memory == NULL || io->kind == LB_IO_WRITE) {
        drop_io(slot);
        io->user = 0;
    }
    lb_target_io_done(sim->ends[conn], sim->world.now_us, io, answer);
}

static uint64_t delay_us(struct sim *sim) {
    struct sim_world *world = &sim->world;
    if (sim_happens(world, SIM_IO_STUCK))
        return sim_between(world, 1, 60) * LB_US_SEC;
    if (sim_happens(world, SIM_IO_SLOW))
        return sim_skewed(world, 1, 5000) * LB_US_MS;
    return sim_one_in(world, 2) ? 0 : sim_between(world, 5, 1000);
}

/* Hostile bytes may make a command of a write that has no blocks: MODE SELECT, say. */
static void check_io(struct sim *sim, const struct lb_target_io *io, uint64_t blocks) {
    bool moves = io->kind == LB_IO_READ || io->kind == LB_IO_BUFFER || io->kind == LB_IO_WRITE;
    bool is_parameters = io->kind == LB_IO_BUFFER && io->blocks == 0 && sim->plan.is_hostile;
    if (!moves || is_parameters)
        return;
    if (io->lba > blocks || io->blocks > blocks - io->lba ||
        io->len != io->blocks * sim->disk.block_bytes)
        sim_violation(&sim->world, "a target asks for blocks that the disk does not have");
}

/* Memory is always given: a target that waits for it reads no further, not even an abort. */
static bool is_forgotten(struct sim *sim, const struct lb_target_io *io) {
    return io->kind != LB_IO_BUFFER &&
           (sim->is_hung || sim_other_happens(&sim->world, SIM_IO_FORGOTTEN));
}

static void release(struct sim *sim, unsigned conn, struct lb_target_io *io) {
    struct sim_io *slot = io_of(sim, io);
    if (slot == NULL || slot->conn != conn || io->buffer.p != slot->memory)
        sim_violation(&sim->world, "a target releases memory that it was not given");
    else
        drop_io(slot);
    io->user = 0;
}

/* What is new has a disk from now on; a WRITE is of the disk that its BUFFER was of. */
static struct sim_io *slot_for(struct sim *sim, unsigned conn, struct lb_target_io *io) {
    if (io->kind == LB_IO_WRITE)
        return io_of(sim, io);
    struct sim_io *slot = new_io(sim, conn, io);
    slot->is_other = sim->swap.is_on && sim_swap_is_other(sim, conn, io);
    return slot;
}

void sim_storage_ask(struct sim *sim, unsigned conn, struct lb_target_io *io) {
    if (io->kind == LB_IO_RELEASE) {
        release(sim, conn, io);
        return;
    }
    struct sim_io *slot = slot_for(sim, conn, io);
    if (slot == NULL || slot->conn != conn || slot->is_asked) {
        sim_violation(&sim->world, "a target writes from memory that it was not given");
        return;
    }
    check_io(sim, io, sim->swap.is_on ? sim_swap_blocks(sim, slot->is_other) : io->lun->blocks);
    slot->io = io;
    slot->is_asked = true;
    uint32_t number = (uint32_t)(slot - sim->ios);
    if (is_forgotten(sim, io)) {
        slot->is_forgotten = true;
        return;
    }
    uint64_t wait_us = delay_us(sim);
    if (wait_us == 0)
        answer_io(sim, number);
    else
        sim_after(&sim->world, wait_us, SIM_IO, number, slot->ticket = ++sim->tickets);
}

/* RFC 7143 4.2.1.5: a command that is aborted is let go. */
void sim_storage_turn(struct sim *sim) {
    const bool *seen = sim->world.seen;
    if (!seen[SIM_IO_FORGOTTEN] && !seen[SIM_LUN_HUNG])
        return;
    for (uint32_t i = 0; i < SIM_IOS; i++) {
        struct sim_io *slot = &sim->ios[i];
        if (!slot->in_use || !slot->is_asked || !slot->is_forgotten)
            continue;
        const struct lb_target_task *task = (const struct lb_target_task *)slot->io; /* its first */
        if (!task->is_aborted)
            continue;
        sim->is_hung = sim->is_hung && sim->witness.resets == sim->hung_resets;
        slot->is_forgotten = false;
        answer_io(sim, i);
        sim->moved++;
    }
}

void sim_storage_event(struct sim *sim, const struct sim_event *event) {
    if (sim->ios[event->a].ticket == event->b)
        answer_io(sim, event->a);
}

/* What the storage had begun, it may have done. */
void sim_storage_end(struct sim *sim, unsigned conn) {
    for (uint32_t i = 0; i < SIM_IOS; i++) {
        struct sim_io *slot = &sim->ios[i];
        if (!slot->in_use || slot->conn != conn)
            continue;
        if (slot->is_asked && slot->io->kind == LB_IO_WRITE && sim_one_in(&sim->world, 2))
            write_blocks(sim, slot, slot->memory);
        drop_io(slot);
    }
}
