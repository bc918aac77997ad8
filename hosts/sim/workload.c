/* The disk's user: reads, writes and flushes of any size, many at once, often of the same
 * blocks. */
#include "hosts/sim/sim.h"
#include <stdlib.h>

/* ---- buffers --------------------------------------------------------------------------------- */

static uint32_t sum_of(const uint8_t *bytes, size_t len) {
    return lb_crc32c(0, bytes, len);
}

static void forget_kept(struct sim *sim, struct sim_kept *kept) {
    if (kept->memory == NULL)
        return;
    sim_check_guards(sim, kept->memory, kept->len, "a completed request");
    if (sum_of(kept->memory + SIM_GUARD, kept->len) != kept->sum)
        sim_violation(&sim->world, "a buffer was changed after its request was completed");
    free(kept->memory);
    kept->memory = NULL;
}

/* The buffer is watched until as many requests more are done. */
static void keep(struct sim *sim, struct sim_op *op) {
    struct sim_kept *kept = &sim->work.kept[sim->work.kept_next++ % SIM_KEPT];
    forget_kept(sim, kept);
    if (op->memory == NULL)
        return;
    *kept = (struct sim_kept){
        .memory = op->memory, .len = op->len, .sum = sum_of(op->memory + SIM_GUARD, op->len)};
    op->memory = NULL;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static uint32_t new_version(struct sim *sim) {
    struct sim_work *work = &sim->work;
    uint32_t version = ++work->versions;
    work->version_state = realloc(work->version_state, version + 1);
    if (work->version_state == NULL)
        abort();
    work->version_state[0] = SIM_VERSION_NONE;
    work->version_state[version] = SIM_VERSION_OUT;
    return version;
}

static void draw_extent(struct sim *sim, struct lb_disk_op *op) {
    struct sim_world *world = &sim->world;
    uint32_t blocks = sim->disk.blocks;
    uint32_t most = LB_MIN(blocks, SIM_OP_BYTES / sim->disk.block_bytes);
    op->blocks = sim_skewed(world, 1, most);
    uint32_t last = blocks - op->blocks;
    op->lba = sim_one_in(world, 2) ? sim_below(world, last + 1) : sim_skewed(world, 0, last);
    if (sim_one_in(world, 50))
        op->blocks = 0;
    if (sim_one_in(world, 50))
        op->lba = blocks - sim_below(world, op->blocks + 1) + 1; /* beyond the end */
}

static bool is_outside(const struct sim *sim, const struct lb_disk_op *op) {
    return op->lba > sim->disk.blocks || op->blocks > sim->disk.blocks - op->lba;
}

static void fill_write(struct sim *sim, struct sim_op *op) {
    uint32_t block_bytes = sim->disk.block_bytes;
    op->version = new_version(sim);
    op->op.force_unit_access = sim_one_in(&sim->world, 8);
    for (uint32_t i = 0; i < op->op.blocks; i++)
        sim_block_fill(op->op.buffer + (size_t)i * block_bytes, block_bytes, op->version,
                       op->op.lba + i);
}

static void prepare(struct sim *sim, struct sim_op *op, enum lb_disk_kind kind) {
    *op = (struct sim_op){.in_use = true, .op = {.kind = kind}};
    if (kind == LB_DISK_FLUSH) {
        op->must = malloc(sizeof sim->work.must);
        if (op->must == NULL)
            abort();
        memcpy(op->must, sim->work.must, sizeof sim->work.must);
        return;
    }
    draw_extent(sim, &op->op);
    op->len = (size_t)op->op.blocks * sim->disk.block_bytes;
    op->memory = sim_guarded(op->len);
    op->op.buffer = op->memory + SIM_GUARD;
    if (kind == LB_DISK_WRITE)
        fill_write(sim, op);
}

static enum lb_disk_kind draw_kind(struct sim *sim) {
    struct sim_world *world = &sim->world;
    if (sim_one_in(world, sim->plan.flush_in))
        return LB_DISK_FLUSH;
    return sim_below(world, 100) < sim->plan.writes ? LB_DISK_WRITE : LB_DISK_READ;
}

static void submit(struct sim *sim) {
    struct sim_work *work = &sim->work;
    struct sim_op *op = work->ops;
    while (op->in_use)
        op++;
    bool last = work->submitted + 1 == sim->plan.ops;
    prepare(sim, op, last ? LB_DISK_FLUSH : draw_kind(sim));
    op->submit_us = sim->world.now_us;
    op->is_out = true;
    work->out++;
    work->submitted++;
    sim_say(&sim->world, "user", "%s %u of %llu+%u%s",
            op->op.kind == LB_DISK_FLUSH   ? "flush"
            : op->op.kind == LB_DISK_WRITE ? "write"
                                           : "read",
            op->version, (unsigned long long)op->op.lba, op->op.blocks,
            is_outside(sim, &op->op) ? " (outside)" : "");
    lb_boot_submit(&sim->boot, sim->world.now_us, &op->op);
}

/* ---- what came back -------------------------------------------------------------------------- */

static struct sim_op *find(struct sim *sim, const struct lb_disk_op *done) {
    for (size_t i = 0; i < SIM_OPS_MAX; i++)
        if (&sim->work.ops[i].op == done)
            return &sim->work.ops[i];
    return NULL;
}

static void note_writes(struct sim *sim, const struct sim_op *op) {
    bool ok = lb_is_ok(&op->op.error);
    sim->work.version_state[op->version] = ok ? SIM_VERSION_DONE : SIM_VERSION_FAILED;
}

static void take(struct sim *sim, struct lb_disk_op *done) {
    struct sim_work *work = &sim->work;
    struct sim_op *op = find(sim, done);
    if (op == NULL || !op->is_out) {
        sim_violation(&sim->world, "a request is completed that is not out");
        return;
    }
    op->is_out = false;
    work->out--;
    work->completed++;
    work->failed += !lb_is_ok(&op->op.error);
    sim->coverage.op_code[op->op.error.code]++;
    sim->coverage.bytes += op->len;
    sim_say(&sim->world, "user", "done %llu+%u: %s", (unsigned long long)op->op.lba, op->op.blocks,
            lb_code_word(op->op.error.code));
    sim_check_completion(sim, op);
    if (op->op.kind == LB_DISK_WRITE)
        note_writes(sim, op);
    keep(sim, op);
    free(op->must);
    *op = (struct sim_op){.in_use = false};
}

/* ---- turns ----------------------------------------------------------------------------------- */

/* In some worlds without faults the user begins when a short lease had to be renewed. */
static void await_renewal(struct sim *sim) {
    const struct sim_plan *plan = &sim->plan;
    if (!plan->is_clean || plan->lease_s == 0 || sim_aside(&sim->world, 71) % 2)
        return;
    sim->work.next_us = sim->world.now_us + plan->lease_s * LB_US_SEC / 4 * 3;
    sim_at(&sim->world, sim->work.next_us, SIM_WORK, 0, 0, (struct lb_bytes){NULL, 0});
}

void sim_work_begin(struct sim *sim) {
    sim->work.is_running = true;
    await_renewal(sim);
}

static bool take_all(struct sim *sim) {
    struct lb_disk_op *done;
    bool any = false;
    while ((done = lb_boot_completed(&sim->boot)) != NULL) {
        take(sim, done);
        any = true;
    }
    return any;
}

static bool pauses(struct sim *sim) {
    struct sim_world *world = &sim->world;
    if (world->now_us < sim->work.next_us)
        return true;
    if (!sim_one_in(world, 10))
        return false;
    sim->work.next_us = world->now_us + sim_skewed(world, 1, sim->plan.pause_us);
    sim_at(world, sim->work.next_us, SIM_WORK, 0, 0, (struct lb_bytes){NULL, 0});
    return true;
}

bool sim_work_turn(struct sim *sim) {
    struct sim_work *work = &sim->work;
    if (!work->is_running)
        return false;
    bool any = take_all(sim);
    while (!sim->is_failed && !sim->stop_told && work->submitted < sim->plan.ops &&
           work->out < sim->plan.depth && !pauses(sim)) {
        submit(sim);
        any = true;
    }
    if (work->out == 0 && work->submitted == sim->plan.ops)
        work->is_over = true;
    return any;
}

void sim_work_end(struct sim *sim) {
    if (!sim->work.is_running)
        return;
    take_all(sim);
    if (sim->work.out < SIM_OPS_MAX)
        submit(sim);
    take_all(sim);
    if (sim->work.out > 0)
        sim_violation(&sim->world, "the engine has ended with %u requests unanswered",
                      sim->work.out);
}

void sim_work_free(struct sim *sim) {
    for (size_t i = 0; i < SIM_KEPT; i++)
        forget_kept(sim, &sim->work.kept[i]);
    for (size_t i = 0; i < SIM_OPS_MAX; i++) {
        free(sim->work.ops[i].memory);
        free(sim->work.ops[i].must);
    }
    free(sim->work.version_state);
}
