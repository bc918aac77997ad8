/* The simulated world: its clock, what happens when, its dice, and what was seen.
 *
 * Nothing in a run depends on anything but the seed: no clock, no address of memory, no order of a
 * hash table, and no compiler: two throws of the dice never stand in one expression, one list of
 * arguments or one initialiser, whose order is the compiler's choice (tests/sim-builds.sh). Time
 * jumps from one event to the next. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "core/base/error.h"

enum sim_fault {
#define SIM_FAULT(name, word, most) SIM_##name,
#include "hosts/sim/faults.def"
#undef SIM_FAULT
    SIM_FAULT_COUNT,
};
const char *sim_fault_word(enum sim_fault fault); /* its name, for the coverage; a constant */
unsigned sim_fault_most(enum sim_fault fault);    /* thousandths; 0: never by chance */

enum sim_wrong {
    SIM_WRONG_NONE,
#define SIM_WRONG(name, word, code) SIM_WRONG_##name,
#include "hosts/sim/wrongs.def"
#undef SIM_WRONG
    SIM_WRONG_COUNT,
};
const char *sim_wrong_word(enum sim_wrong wrong);  /* its name, for the coverage; a constant */
enum lb_code sim_wrong_code(enum sim_wrong wrong); /* LB_CODE_COUNT: more than one would do */

/* What happened in many runs; plain numbers, so that it can be shared by processes and added up. */
struct sim_coverage {
    uint64_t runs, booted, failed, violations;
    uint64_t fault[SIM_FAULT_COUNT]; /* runs that met it */
    uint64_t wrong[SIM_WRONG_COUNT];
    uint64_t code[LB_CODE_COUNT];    /* runs that ended with it */
    uint64_t op_code[LB_CODE_COUNT]; /* requests to the disk that ended with it */
    uint64_t ops, bytes, steps, logins, virtual_ms, lost_unflushed;
};
/* Adds each number of `from` to `to`. */
void sim_coverage_add(struct sim_coverage *to, const struct sim_coverage *from);

enum sim_what {
    SIM_TO_CLIENT,   /* a datagram behind a struct sim_packet; a: the engine's slot */
    SIM_TO_SERVERS,  /* the same */
    SIM_PROBED,      /* a: conflict; data: the address */
    SIM_ADDRESS_SET, /* a: refused */
    SIM_LINK,        /* a: up */
    SIM_ADVERTISE,   /* a: a router */
    SIM_CONNECTED,   /* a: connection; b: 0 or 1 + enum lb_initiator_lost */
    SIM_STREAM,      /* a: connection: look at its pipes */
    SIM_SEVERED,     /* a: connection; b: 0 the client's end, 1 the server's */
    SIM_IO,          /* a: number of an io that is to be answered */
    SIM_TICK,        /* time for the faults of the targets */
    SIM_UP_AGAIN,    /* a: portal */
    SIM_THERE,       /* the targets that were late are there */
    SIM_RESTART,     /* the targets' machine loses its power */
    SIM_WORK,        /* the disk's user may go on */
    SIM_CALM,        /* faults stop */
    SIM_GATE,        /* time for the faults of IPsec */
    SIM_ESP,         /* a, b: a protected packet that is late arrives */
};

struct sim_event {
    uint64_t at_us, order;
    enum sim_what what;
    uint32_t a, b;
    uint8_t *data; /* the event's own; freed by sim_event_free */
    size_t len;
};

struct sim_world {
    uint64_t seed, now_us;
    uint64_t dice, other_dice;
    uint64_t hash;  /* of the whole trace */
    bool has_ipsec; /* a world of --ipsec */
    bool shows;     /* the trace is printed */
    unsigned violations;
    char violation[400]; /* the first one */

    uint64_t dark_until_us;           /* the link is down, and nothing arrives */
    uint64_t calm_us;                 /* faults happen before this time */
    uint16_t chance[SIM_FAULT_COUNT]; /* thousandths */
    bool seen[SIM_FAULT_COUNT];

    struct sim_event *events; /* a heap */
    size_t event_count, event_cap;
    uint64_t order;
};

/* A world at its second 1, without events. The seed alone decides what happens; shows prints the
 * trace. */
void sim_world_init(struct sim_world *world, uint64_t seed, bool shows);
void sim_world_free(struct sim_world *world); /* frees the events that are left */

uint64_t sim_random(struct sim_world *world);                          /* 64 random bits */
uint32_t sim_below(struct sim_world *world, uint32_t n);               /* 0..n-1 */
uint32_t sim_between(struct sim_world *world, uint32_t a, uint32_t b); /* a..b */
uint32_t sim_skewed(struct sim_world *world, uint32_t a, uint32_t b);  /* small ones more often */
bool sim_one_in(struct sim_world *world, uint32_t n);                  /* true once in n times */
/* Changes 1 to `most` bytes. */
void sim_spoil(struct sim_world *world, struct lb_span span, uint32_t most);
bool sim_fault_is_of_ipsec(enum sim_fault fault); /* it is met in worlds with IPsec alone */
/* A number of the seed for one purpose, which throws no dice: what was drawn before stays. */
uint32_t sim_aside(const struct sim_world *world, uint64_t purpose);
/* Whether the fault happens on this occasion; then it is counted. */
bool sim_happens(struct sim_world *world, enum sim_fault fault);
/* Counts that the fault has happened, without dice. */
void sim_saw(struct sim_world *world, enum sim_fault fault);
/* The same with other dice: of worlds that were added later, so that what a seed meant before
 * stays. */
uint32_t sim_other_below(struct sim_world *world, uint32_t n);
uint32_t sim_other_between(struct sim_world *world, uint32_t a, uint32_t b); /* a..b */
/* a..b, small ones more often. */
uint32_t sim_other_skewed(struct sim_world *world, uint32_t a, uint32_t b);
bool sim_other_one_in(struct sim_world *world, uint32_t n);            /* true once in n times */
bool sim_other_happens(struct sim_world *world, enum sim_fault fault); /* as sim_happens */
bool sim_is_calm(const struct sim_world *world);                       /* faults have stopped */

/* data is copied. */
void sim_at(struct sim_world *world, uint64_t at_us, enum sim_what what, uint32_t a, uint32_t b,
            struct lb_bytes data);
/* An event without data, in delay_us from now. */
void sim_after(struct sim_world *world, uint64_t delay_us, enum sim_what what, uint32_t a,
               uint32_t b);
uint64_t sim_next_us(const struct sim_world *world);             /* LB_NEVER: nothing will happen */
bool sim_take(struct sim_world *world, struct sim_event *event); /* the earliest that is due */
void sim_event_free(struct sim_event *event);                    /* frees its data */

/* A line of the trace: hashed always, printed if shown. */
void sim_say(struct sim_world *world, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_say_line(struct sim_world *world, const char *line); /* one of the engine's */
/* Something that must never be. The run goes on as far as it can. */
void sim_violation(struct sim_world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
