/* Networks made by chance, with agents and servers that lie, damage, answer late or not at all: a
 * boot comes to the right disk or to one explained error, in time, and leaves nothing open. Where
 * somebody told the truth, it comes to the disk. */
#include "core/boot/test_boot_discovery.h"

#define SEEDS    2000
#define OTHER    "iqn.2026-11.test:other"
#define GOOD_URL "service:iscsi:target://192.0.2.1/" HOST_TARGET

static struct {
    struct lb_rand rand;
    bool damages, is_named;
    bool slp_tells, isns_tells; /* the truth, undamaged and in time */
} chance;

static bool one_in(uint32_t n) {
    return lb_rand_below(&chance.rand, n) == 0;
}

static const char *some_url(void) {
    static const char *const urls[] = {
        GOOD_URL,
        "service:iscsi:target://192.0.2.3/" HOST_TARGET,
        "service:iscsi:target://192.0.2.4/" HOST_TARGET,
        "service:iscsi:target://192.0.2.66:860/" HOST_TARGET,
        "service:iscsi:target://192.0.2.1/" OTHER,
        "service:iscsi:target://127.0.0.1/" HOST_TARGET,
        "service:iscsi:target://[ff02::1]/" HOST_TARGET,
        "service:iscsi:target://192.0.2.1/" HOST_TARGET "/iqn.2026-11.test:somebody",
        "service:iscsi:target://san.example.com/" HOST_TARGET,
        "service:iscsi:target:///" HOST_TARGET,
        "service:iscsi:target://192.0.2.1",
        "service:iscsi:target://[::/",
        "http://192.0.2.1/",
        "",
    };
    return urls[lb_rand_below(&chance.rand, LB_COUNT(urls))];
}

static void add_agents(void) {
    size_t count = lb_rand_below(&chance.rand, 7);
    for (size_t i = 0; i < count; i++) {
        const char *url = some_url();
        world_service((uint8_t)(20 + lb_rand_below(&chance.rand, 5)), LB_SLP_TYPE_TARGET, url,
                      "(iscsi-name=" HOST_TARGET "),(boot-list=any),(auth-name=any)");
        world.services[i].delay_us = lb_rand_below(&chance.rand, one_in(4) ? 12000 : 200) * 1000;
        bool is_good = lb_streq(url, GOOD_URL) && world.services[i].delay_us < 2 * SEC;
        chance.slp_tells = chance.slp_tells || is_good;
    }
    if (one_in(3))
        world_service(30, LB_SLP_TYPE_SMS,
                      one_in(3) ? "service:iscsi:sms://127.0.0.1" : "service:iscsi:sms://192.0.2.9",
                      "(protocols=isns)");
}

static void add_isns(void) {
    bool has_good = one_in(2);
    world.isns_answer = (enum answer)lb_rand_below(&chance.rand, 3);
    uint32_t entity = lb_isns_server_add_entity(&world.isns, "srv", LB_NEVER);
    for (uint8_t last = has_good ? 1 : 3; last <= 4; last++)
        lb_isns_server_add_portal(&world.isns, entity,
                                  (struct lb_endpoint){v4(192, 0, 2, last), 3260});
    lb_isns_server_add_node(&world.isns, entity, HOST_TARGET, LB_ISNS_TARGET, "");
    world_domain(7, LB_ISNS_BOOT_LIST, HOST_TARGET);
    if (one_in(2)) {
        host_set("isns-server", one_in(2) ? "192.0.2.9" : "192.0.2.8,192.0.2.9");
        chance.isns_tells = has_good && world.isns_answer == ACCEPTS;
    }
}

/* Damaged on the way, at a byte or two. */
static bool damaging_pump(void) {
    for (size_t i = 0; i < world.reply_count; i++) {
        struct reply *reply = &world.replies[i];
        if (reply->at_us <= host.now && reply->len > 0 && one_in(2))
            reply->bytes[lb_rand_below(&chance.rand, (uint32_t)reply->len)] ^=
                (uint8_t)lb_rand_u32(&chance.rand);
    }
    if (world.answer_len > 0 && one_in(8))
        world.answer[lb_rand_below(&chance.rand, (uint32_t)world.answer_len)] ^=
            (uint8_t)lb_rand_u32(&chance.rand);
    return world_pump();
}

static void make_network(uint32_t number) {
    uint8_t seed[LB_RAND_SEED_BYTES] = {(uint8_t)number, (uint8_t)(number >> 8), 7};
    memset(&chance, 0, sizeof chance);
    lb_rand_init(&chance.rand, seed);
    world_init();
    host.setup.seed[1] = seed[0];
    host.setup.seed[2] = seed[1];
    chance.is_named = one_in(2);
    host_offers(chance.is_named ? "iscsi:::3260:1:" HOST_TARGET : "");
    if (one_in(2))
        host_set("trust-open-slp", "yes");
    host_portal(1, v4(192, 0, 2, 3), 3260);
    host_portal(2, v4(192, 0, 2, 4), 3260);
    for (size_t i = 1; i < 3; i++)
        host.portals[i].answer = (enum answer)(1 + lb_rand_below(&chance.rand, 3));
    host_set("attempts", one_in(2) ? "1" : "2");
    add_agents();
    add_isns();
    chance.damages = one_in(3);
    if (chance.damages)
        host.on_pump = damaging_pump;
}

/* Without a name, boot lists are believed of whom they may be believed. */
static bool must_boot(void) {
    bool trusts = lb_config_bool(&host.config, LB_KEY_TRUST_OPEN_SLP);
    if (chance.damages)
        return false;
    return chance.isns_tells || (chance.slp_tells && (chance.is_named || trusts));
}

static bool check_end(bool booted) {
    struct lb_endpoint at = lb_initiator_peer(lb_boot_session(&host.boot));
    bool good = CHECK(booted || !must_boot());
    good = CHECK_EQ(host_steps_running(), 0) && good;
    good = CHECK(!world.isns_open) && good;
    good = CHECK_EQ(host.opened & ~UINT32_C(1), 0) && good; /* but DHCP's */
    if (booted) {
        good = CHECK_STR(lb_boot_target(&host.boot)->target, HOST_TARGET) && good;
        return CHECK_STR(lb_endpoint_text(at).s, "192.0.2.1:3260") && good;
    }
    good = CHECK_EQ(host.seen[LB_BOOT_FAILED], 1) && good;
    return CHECK(host_error()->code != LB_OK && host_error()->facts[0] != '\0') && good;
}

static void each_boot_ends_as_it_should(void) {
    unsigned booted = 0, had_to = 0;
    for (uint32_t number = 0; number < SEEDS; number++) {
        make_network(number);
        uint64_t start = host.now;
        host_begin();
        bool has_disk = host_until(LB_BOOT_READY);
        booted += has_disk;
        had_to += must_boot();
        bool good = check_end(has_disk);
        good = CHECK(host.now - start < 180 * SEC) && good;
        if (!good) {
            tap_note("network %u: %s: %s", number, lb_code_word(host_error()->code),
                     host_error()->facts);
            host_show_trace();
            return;
        }
    }
    tap_note("%u networks: %u booted, of which %u had to", SEEDS, booted, had_to);
    CHECK(booted > SEEDS / 5 && booted < SEEDS * 4 / 5);
    CHECK(had_to > SEEDS / 10);
}

int main(void) {
    TEST(each_boot_ends_as_it_should);
    return tap_done();
}
