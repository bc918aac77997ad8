#include "hosts/sim/world.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- words ----------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    unsigned most;
} faults[SIM_FAULT_COUNT] = {
#define SIM_FAULT(name, word, most) {word, most},
#include "hosts/sim/faults.def"
#undef SIM_FAULT
};

static const struct {
    const char *word;
    enum lb_code code;
} wrongs[SIM_WRONG_COUNT] = {
    {"nothing", LB_OK},
#define LB_E_COUNT                  LB_CODE_COUNT
#define SIM_WRONG(name, word, code) {word, LB_E_##code},
#include "hosts/sim/wrongs.def"
#undef SIM_WRONG
};

const char *sim_fault_word(enum sim_fault fault) {
    return faults[fault].word;
}

unsigned sim_fault_most(enum sim_fault fault) {
    return faults[fault].most;
}

bool sim_fault_is_of_ipsec(enum sim_fault fault) {
    return fault >= SIM_IPSEC_UP;
}

const char *sim_wrong_word(enum sim_wrong wrong) {
    return wrongs[wrong].word;
}

enum lb_code sim_wrong_code(enum sim_wrong wrong) {
    return wrongs[wrong].code;
}

/* The struct holds numbers of one type alone. */
void sim_coverage_add(struct sim_coverage *to, const struct sim_coverage *from) {
    uint64_t sums[sizeof *to / sizeof(uint64_t)], more[LB_COUNT(sums)];
    memcpy(sums, to, sizeof *to);
    memcpy(more, from, sizeof *from);
    for (size_t i = 0; i < LB_COUNT(sums); i++)
        sums[i] += more[i];
    memcpy(to, sums, sizeof *to);
}

/* ---- dice: splitmix64 ------------------------------------------------------------------------ */

uint64_t sim_random(struct sim_world *world) {
    uint64_t z = (world->dice += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t sim_aside(const struct sim_world *world, uint64_t purpose) {
    struct sim_world other = {.dice = (world->seed ^ purpose << 48) * UINT64_C(0x2545f4914f6cdd1d)};
    return (uint32_t)(sim_random(&other) >> 32);
}

uint32_t sim_below(struct sim_world *world, uint32_t n) {
    return (uint32_t)((sim_random(world) >> 32) * n >> 32);
}

uint32_t sim_between(struct sim_world *world, uint32_t a, uint32_t b) {
    return a + sim_below(world, b - a + 1);
}

uint32_t sim_skewed(struct sim_world *world, uint32_t a, uint32_t b) {
    unsigned shift = sim_below(world, 16);
    return a + (sim_below(world, b - a + 1) >> shift);
}

bool sim_one_in(struct sim_world *world, uint32_t n) {
    return sim_below(world, n) == 0;
}

void sim_spoil(struct sim_world *world, struct lb_span span, uint32_t most) {
    for (uint32_t n = sim_between(world, 1, most); n > 0 && span.len > 0; n--) {
        uint8_t value = (uint8_t)sim_random(world);
        span.p[sim_below(world, (uint32_t)span.len)] = value;
    }
}

bool sim_is_calm(const struct sim_world *world) {
    return world->now_us >= world->calm_us;
}

void sim_saw(struct sim_world *world, enum sim_fault fault) {
    world->seen[fault] = true;
}

bool sim_happens(struct sim_world *world, enum sim_fault fault) {
    if (world->chance[fault] == 0 || sim_is_calm(world))
        return false;
    if (sim_below(world, 1000) >= world->chance[fault])
        return false;
    sim_saw(world, fault);
    sim_say(world, "fault", "%s", sim_fault_word(fault));
    return true;
}

/* ---- the other dice -------------------------------------------------------------------------- */

static void change_dice(struct sim_world *world) {
    uint64_t dice = world->dice;
    world->dice = world->other_dice;
    world->other_dice = dice;
}

uint32_t sim_other_below(struct sim_world *world, uint32_t n) {
    change_dice(world);
    uint32_t number = sim_below(world, n);
    change_dice(world);
    return number;
}

uint32_t sim_other_between(struct sim_world *world, uint32_t a, uint32_t b) {
    return a + sim_other_below(world, b - a + 1);
}

uint32_t sim_other_skewed(struct sim_world *world, uint32_t a, uint32_t b) {
    unsigned shift = sim_other_below(world, 16);
    return a + (sim_other_below(world, b - a + 1) >> shift);
}

bool sim_other_one_in(struct sim_world *world, uint32_t n) {
    return sim_other_below(world, n) == 0;
}

bool sim_other_happens(struct sim_world *world, enum sim_fault fault) {
    change_dice(world);
    bool happens = sim_happens(world, fault);
    change_dice(world);
    return happens;
}

/* ---- events: a binary heap, ordered by time, then by when they were planned
 * ---------------------- */

static bool is_before(const struct sim_event *a, const struct sim_event *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

/* Puts the event where it belongs, from the place i, which is free, upwards. */
static void sift_up(struct sim_world *world, size_t i, const struct sim_event *event) {
    struct sim_event *heap = world->events;
    for (; i > 0 && is_before(event, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = *event;
}

/* The same from the top, which is free, downwards. */
static void sift_down(struct sim_world *world, const struct sim_event *event) {
    struct sim_event *heap = world->events;
    size_t i = 0, child;
    while ((child = 2 * i + 1) < world->event_count) {
        if (child + 1 < world->event_count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], event))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = *event;
}

void sim_at(struct sim_world *world, uint64_t at_us, enum sim_what what, uint32_t a, uint32_t b,
            struct lb_bytes data) {
    if (world->event_count == world->event_cap) {
        world->event_cap = world->event_cap == 0 ? 256 : world->event_cap * 2;
        world->events = realloc(world->events, world->event_cap * sizeof *world->events);
        if (world->events == NULL)
            abort();
    }
    struct sim_event event = {.at_us = LB_MAX(at_us, world->now_us),
                              .order = world->order++,
                              .what = what,
                              .a = a,
                              .b = b,
                              .len = data.len};
    if (data.len > 0) {
        event.data = malloc(data.len);
        if (event.data == NULL)
            abort();
        memcpy(event.data, data.p, data.len);
    }
    sift_up(world, world->event_count++, &event);
}

void sim_after(struct sim_world *world, uint64_t delay_us, enum sim_what what, uint32_t a,
               uint32_t b) {
    sim_at(world, world->now_us + delay_us, what, a, b, (struct lb_bytes){NULL, 0});
}

uint64_t sim_next_us(const struct sim_world *world) {
    return world->event_count > 0 ? world->events[0].at_us : LB_NEVER;
}

bool sim_take(struct sim_world *world, struct sim_event *event) {
    if (world->event_count == 0 || world->events[0].at_us > world->now_us)
        return false;
    *event = world->events[0];
    struct sim_event last = world->events[--world->event_count];
    if (world->event_count > 0)
        sift_down(world, &last);
    return true;
}

void sim_event_free(struct sim_event *event) {
    free(event->data);
    event->data = NULL;
}

/* ---- the trace ------------------------------------------------------------------------------- */

void sim_say_line(struct sim_world *world, const char *line) {
    for (const char *c = line; *c != '\0'; c++)
        world->hash = (world->hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    if (world->shows)
        printf("%s\n", line);
}

void sim_say(struct sim_world *world, const char *who, const char *format, ...) {
    char said[300], line[360];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "%llu.%06llu  * %s %s",
             (unsigned long long)(world->now_us / LB_US_SEC),
             (unsigned long long)(world->now_us % LB_US_SEC), who, said);
    sim_say_line(world, line);
}

void sim_violation(struct sim_world *world, const char *format, ...) {
    char said[sizeof world->violation];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    if (world->violations++ == 0)
        memcpy(world->violation, said, sizeof said);
    if (world->violations < 20)
        sim_say(world, "VIOLATION", "%.280s", said);
}

/* ---- */

void sim_world_init(struct sim_world *world, uint64_t seed, bool shows) {
    *world = (struct sim_world){
        .seed = seed,
        .now_us = LB_US_SEC,
        .dice = seed * UINT64_C(0xd1342543de82ef95) + 1,
        .other_dice = seed * UINT64_C(0xaf251af3b0f025b5) + 7,
        .hash = UINT64_C(0xcbf29ce484222325),
        .shows = shows,
    };
}

void sim_world_free(struct sim_world *world) {
    for (size_t i = 0; i < world->event_count; i++)
        sim_event_free(&world->events[i]);
    free(world->events);
    world->events = NULL;
    world->event_count = world->event_cap = 0;
}
