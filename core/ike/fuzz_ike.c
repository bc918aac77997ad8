/* Two ends and a hostile network: each step is a byte that says what happens.
 *
 *   0 N       N + 1 times a quarter of a second pass     3 A B  byte A of the next one changes by B
 *   1 W       end W (a bit) renews the child's keys, or     4 L    so many of a hundred are lost
 *             those of the IKE SA (another bit)
 *   2 W       end W asks for a sign of life              5 LL.. LL bytes come to the responder
 *   6 LL..    or to the initiator                        7 W    end W closes */
#include "core/ike/test_ike.h"
#include "tests/fuzz.h"

#define STEPS_MAX    60
#define MESSAGES_MAX 48 /* each round of keys costs two multiplications of points */

static void inject(struct lb_rd *rd, int to) {
    static uint8_t room[2048];
    size_t wanted = lb_rd_u16(rd);
    struct lb_bytes bytes = lb_rd_bytes(rd, LB_MIN(LB_MIN(wanted, rd->left), sizeof room));
    struct lb_ike *ike = &pair.ends[to].ike;
    if (bytes.len > 0)
        memcpy(room, bytes.p, bytes.len);
    lb_ike_input(ike, pair.now, ike->remote, ike->local, lb_span(room, bytes.len));
}

static void renew(uint8_t what) {
    struct lb_ike *ike = &pair.ends[what & 1].ike;
    if (what & 2)
        lb_ike_rekey_ike(ike, pair.now);
    else
        lb_ike_rekey(ike, pair.now);
}

static void step(struct lb_rd *rd) {
    switch (lb_rd_u8(rd) % 8) {
    case 0:
        pair_run((lb_rd_u8(rd) + 1u) * (LB_US_SEC / 4));
        break;
    case 1:
        renew(lb_rd_u8(rd));
        break;
    case 2:
        lb_ike_probe(&pair.ends[lb_rd_u8(rd) & 1].ike, pair.now);
        break;
    case 3:
        pair.change = pair.message + 1;
        pair.change_at = lb_rd_u8(rd);
        pair.change_bits = lb_rd_u8(rd);
        break;
    case 4:
        pair.lose_percent = lb_rd_u8(rd) % 50;
        break;
    case 5:
        inject(rd, 1);
        break;
    case 6:
        inject(rd, 0);
        break;
    default:
        lb_ike_close(&pair.ends[lb_rd_u8(rd) & 1].ike, pair.now);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lb_rd rd = lb_rd(lb_bytes(data, size));
    struct lb_ike_config client = pair_config(false), server = pair_config(true);
    uint8_t flags = lb_rd_u8(&rd);
    client.mode = server.mode = flags & 1 ? LB_IPSEC_TRANSPORT : LB_IPSEC_TUNNEL;
    client.group = flags & 2 ? LB_DH_P256 : LB_DH_X25519;
    server.group = flags & 4 ? LB_DH_P256 : LB_DH_X25519;
    client.rekey_s = flags & 8 ? 5 : 0;
    server.rekey_ike_s = flags & 8 ? 7 : 0;
    server.asks_cookie = flags & 32;
    pair_start(client, server);
    pair.has_nat = flags & 16;
    for (unsigned i = 0; i < STEPS_MAX && pair.message < MESSAGES_MAX && rd.left > 0; i++)
        step(&rd);
    /* Whoever is up has keys that the other one has, too, as far as it is up. */
    if (pair.ends[0].ike.state == LB_IKE_READY && pair.ends[1].ike.state == LB_IKE_READY &&
        pair.ends[0].ike.child.out_spi == pair.ends[1].ike.child.in_spi)
        lb_assert(pair_passes(0) && pair_passes(1));
    return 0;
}
