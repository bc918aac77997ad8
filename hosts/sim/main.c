#define _GNU_SOURCE /* MAP_ANONYMOUS */
/* lunboot-sim: thousands of boots over a faulty virtual network, each reproduced by its seed. */
#include "hosts/sim/sim.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOBS_MAX      64
#define SEED_SECONDS  60    /* of processor time; a seed takes milliseconds */
#define COVERED_SEEDS 20000 /* so many must meet every fault */
#define SHOWN_MAX     50    /* violations shown */

/* ---- options --------------------------------------------------------------------------------- */

struct options {
    uint64_t seeds, first, seed;
    bool has_seed, trace, hashes, verbose, ipsec, stop;
    unsigned jobs;
    const char *seeds_file;
};

static const char usage[] =
    "Usage: lunboot-sim [--ipsec] [--seeds=N] [--first=S] [--jobs=N] [--verbose] [--stop]\n"
    "                   [--trace|--hashes]\n"
    "       lunboot-sim [--ipsec] --seed=S [--trace]\n"
    "\n"
    "Boots over a virtual network with faults, once for each seed, and checks what must never be.\n"
    "The same seed gives the same run on every machine.\n"
    "\n"
    "  --seeds=N     how many seeds (1000), from --first on (1)\n"
    "  --seed=S      this one alone; --trace shows all that happens\n"
    "  --ipsec       worlds in which the disk, and mostly discovery, are spoken to through IPsec;\n"
    "                a seed means another world there\n"
    "  --hashes      a line for each seed, with the hash of its trace\n"
    "  --jobs=N      processes (2)\n"
    "  --stop        each process ends at its first violation\n"
    "  --verbose     a table of the faults and failures that were met\n"
    "  --regressions=FILE  seeds to run first, one a line\n"
    "\n"
    "Exit code: 0 without violations; 1 with some, or when 20000 seeds or more did not meet every\n"
    "fault; 2 for wrong usage.\n";

static bool number_option(const char *argument, const char *name, uint64_t *value) {
    size_t len = strlen(name);
    return strncmp(argument, name, len) == 0 && argument[len] == '=' &&
           lb_parse_u64(lb_bytes_of_text(argument + len + 1), UINT64_MAX, value);
}

static bool parse_option(const char *argument, struct options *options) {
    uint64_t jobs;
    if (number_option(argument, "--seeds", &options->seeds) ||
        number_option(argument, "--first", &options->first))
        return true;
    if (number_option(argument, "--seed", &options->seed))
        return options->has_seed = true;
    if (number_option(argument, "--jobs", &jobs) && jobs >= 1 && jobs <= JOBS_MAX) {
        options->jobs = (unsigned)jobs;
        return true;
    }
    if (strncmp(argument, "--regressions=", 14) == 0) {
        options->seeds_file = argument + 14;
        return true;
    }
    if (strcmp(argument, "--trace") == 0)
        return options->trace = true;
    if (strcmp(argument, "--hashes") == 0)
        return options->hashes = true;
    if (strcmp(argument, "--ipsec") == 0)
        return options->ipsec = true;
    if (strcmp(argument, "--stop") == 0)
        return options->stop = true;
    if (strcmp(argument, "--verbose") == 0)
        return options->verbose = true;
    return false;
}

/* ---- one process's work ---------------------------------------------------------------------- */

struct job { /* shared with the parent */
    struct sim_coverage coverage;
    uint64_t next; /* index of the seed at hand, and of the next one after a crash */
    uint64_t shown;
};

struct list { /* the seeds of a run: those of the file, then a range */
    bool ipsec, stop;
    uint64_t *early;
    size_t early_count;
    uint64_t first, count;
};

static uint64_t seed_at(const struct list *list, uint64_t i) {
    return i < list->early_count ? list->early[i] : list->first + (i - list->early_count);
}

static void show_violation(struct job *job, bool ipsec, uint64_t seed, const char *what) {
    if (job->shown++ >= SHOWN_MAX)
        return;
    printf("seed %llu: VIOLATION: %s\n  reproduce: lunboot-sim %s--seed=%llu --trace\n",
           (unsigned long long)seed, what, ipsec ? "--ipsec " : "", (unsigned long long)seed);
    fflush(stdout);
}

/* A seed that hangs ends with SIGPROF. */
static void limit_time(void) {
    struct itimerval limit = {.it_value.tv_sec = SEED_SECONDS};
    setitimer(ITIMER_PROF, &limit, NULL);
}

static void work(struct job *job, const struct list *list, unsigned stride) {
    while (job->next < list->early_count + list->count) {
        uint64_t seed = seed_at(list, job->next);
        limit_time();
        struct sim_outcome outcome = sim_run(seed, list->ipsec, false, &job->coverage);
        if (outcome.violations > 0)
            show_violation(job, list->ipsec, seed, outcome.violation);
        if (outcome.violations > 0 && list->stop)
            return;
        job->next += stride;
    }
}

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fflush(stdout);
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
    abort();
}

/* ---- all processes --------------------------------------------------------------------------- */

static pid_t start(struct job *job, const struct list *list, unsigned stride) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        perror("lunboot-sim: fork");
        exit(2);
    }
    if (pid == 0) {
        work(job, list, stride);
        fflush(stdout);
        _exit(0);
    }
    return pid;
}

/* A process that died did so in the seed at hand. */
static void bury(struct job *job, const struct list *list, unsigned stride, int status) {
    char what[80];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
        snprintf(what, sizeof what, "no end within %u s of processor time", SEED_SECONDS);
    else
        snprintf(what, sizeof what, "crashed (%s %d)", WIFSIGNALED(status) ? "signal" : "exit",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    show_violation(job, list->ipsec, seed_at(list, job->next), what);
    job->coverage.runs++;
    job->coverage.violations++;
    job->next += stride;
}

static void run_jobs(struct job *jobs, unsigned count, const struct list *list) {
    pid_t pids[JOBS_MAX];
    for (unsigned i = 0; i < count; i++) {
        jobs[i].next = i;
        pids[i] = start(&jobs[i], list, count);
    }
    for (unsigned i = 0; i < count; i++) {
        int status;
        while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
            ;
        while (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            bury(&jobs[i], list, count, status);
            if (list->stop)
                break;
            pids[i] = start(&jobs[i], list, count);
            while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
                ;
        }
    }
}

/* ---- what was met ---------------------------------------------------------------------------- */

static void show_table(const struct sim_coverage *all) {
    printf("\nfaults, by the runs that met them\n");
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        printf("  %8llu  %s\n", (unsigned long long)all->fault[i],
               sim_fault_word((enum sim_fault)i));
    printf("\nwrong for good\n");
    for (unsigned i = 0; i < SIM_WRONG_COUNT; i++)
        printf("  %8llu  %s\n", (unsigned long long)all->wrong[i],
               sim_wrong_word((enum sim_wrong)i));
    printf("\nruns by how they ended, and requests to the disk\n");
    for (unsigned i = 0; i < LB_CODE_COUNT; i++)
        if (all->code[i] + all->op_code[i] > 0)
            printf("  %8llu %9llu  %s\n", (unsigned long long)all->code[i],
                   (unsigned long long)all->op_code[i], lb_code_word((enum lb_code)i));
    printf("\n  %llu requests, %llu MiB, %llu logins, %llu s of virtual time, %llu steps, "
           "%llu unflushed blocks lost\n\n",
           (unsigned long long)all->ops, (unsigned long long)(all->bytes >> 20),
           (unsigned long long)all->logins, (unsigned long long)(all->virtual_ms / 1000),
           (unsigned long long)all->steps, (unsigned long long)all->lost_unflushed);
}

/* With many seeds, what was never met was not tested. */
static bool has_gaps(const struct sim_coverage *all, bool ipsec) {
    bool gaps = all->booted == 0 || all->failed == 0;
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        if (all->fault[i] == 0 && sim_fault_is_of_ipsec((enum sim_fault)i) == ipsec) {
            printf("never met: %s\n", sim_fault_word((enum sim_fault)i));
            gaps = true;
        }
    for (unsigned i = 0; i < SIM_WRONG_COUNT; i++)
        if (all->wrong[i] == 0 && !ipsec) {
            printf("never met: %s\n", sim_wrong_word((enum sim_wrong)i));
            gaps = true;
        }
    return gaps;
}

/* ---- modes ----------------------------------------------------------------------------------- */

static int run_one(uint64_t seed, bool ipsec, bool trace) {
    struct sim_coverage coverage = {0};
    struct sim_outcome outcome = sim_run(seed, ipsec, trace, &coverage);
    if (outcome.violations > 0)
        printf("VIOLATION: %s\n", outcome.violation);
    char shown[1024];
    struct lb_text text = lb_text(shown, sizeof shown);
    lb_error_format(&text, &outcome.error);
    printf("seed %llu: %s; trace %016llx\n%s", (unsigned long long)seed,
           outcome.booted ? "booted" : "failed with a reason", (unsigned long long)outcome.hash,
           shown);
    return outcome.violations > 0;
}

/* All of them, one after the other: with their traces, or how they ended. */
static int run_shown(const struct options *options) {
    int failed = 0;
    for (uint64_t i = 0; i < options->seeds; i++)
        failed |= run_one(options->first + i, options->ipsec, options->trace);
    return failed;
}

/* Those of worlds with IPsec have that word before them. */
static void read_seeds(const char *path, struct list *list) {
    static const char mark[] = "ipsec ";
    char line[300];
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL) {
        bool is_marked = strncmp(line, mark, sizeof mark - 1) == 0;
        char *end, *start = line + (is_marked ? sizeof mark - 1 : 0);
        uint64_t seed = strtoull(start, &end, 10);
        if (end == start || is_marked != list->ipsec)
            continue; /* a comment, or a seed of the other worlds */
        list->early = realloc(list->early, (list->early_count + 1) * sizeof *list->early);
        if (list->early == NULL)
            abort();
        list->early[list->early_count++] = seed;
    }
    fclose(file);
}

static int run_many(const struct options *options) {
    struct list list = {.ipsec = options->ipsec,
                        .stop = options->stop,
                        .first = options->first,
                        .count = options->seeds};
    struct sim_coverage all = {0};
    size_t len = sizeof(struct job) * options->jobs;
    struct job *jobs = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED) {
        perror("lunboot-sim: mmap");
        return 2;
    }
    read_seeds(options->seeds_file, &list);
    run_jobs(jobs, options->jobs, &list);
    for (unsigned i = 0; i < options->jobs; i++)
        sim_coverage_add(&all, &jobs[i].coverage);
    munmap(jobs, len);
    free(list.early);
    if (options->verbose)
        show_table(&all);
    bool gaps = options->seeds >= COVERED_SEEDS && has_gaps(&all, options->ipsec);
    printf("%llu seeds, %llu booted, %llu failed with a reason, %llu violations\n",
           (unsigned long long)all.runs, (unsigned long long)all.booted,
           (unsigned long long)all.failed, (unsigned long long)all.violations);
    return all.violations > 0 || gaps;
}

int main(int argc, char **argv) {
    struct options options = {.seeds = 1000, .first = 1, .jobs = 2};
#ifdef SIM_REGRESSIONS
    options.seeds_file = SIM_REGRESSIONS;
#endif
    for (int i = 1; i < argc; i++) {
        bool help = strcmp(argv[i], "--help") == 0;
        if (!help && parse_option(argv[i], &options))
            continue;
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (options.has_seed)
        return run_one(options.seed, options.ipsec, options.trace);
    return options.trace || options.hashes ? run_shown(&options) : run_many(&options);
}
