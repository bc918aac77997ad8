#include "core/target/test_target_pair.h"

/* ---- helpers ---- */

static void set_secret(uint8_t *secret, size_t *len, const char *text) {
    *len = lb_strlen(text);
    memcpy(secret, text, *len);
}

static struct lb_target_account account;

/* The target wants CHAP of one algorithm; the initiator knows all. */
static void configure_chap(const char *algs) {
    struct lb_initiator_config *c = &pair.config;
    pair_configure();
    lb_text_copy(c->chap_name, sizeof c->chap_name, PAIR_TEXT("me"));
    set_secret(c->chap_secret, &c->chap_secret_len, "boot-secret-0123");
    account = (struct lb_target_account){.name = "me"};
    set_secret(account.secret, &account.secret_len, "boot-secret-0123");
    pair.nodes[0].accounts = &account;
    pair.nodes[0].account_count = 1;
    CHECK(lb_chap_parse_algs(lb_bytes_of_text("sha3-256,sha256,sha1,md5"), &c->chap_algs));
    CHECK(lb_chap_parse_algs(lb_bytes_of_text(algs), &pair.nodes[0].chap_algs));
}

static void configure_mutual(void) {
    struct lb_initiator_config *c = &pair.config;
    configure_chap("sha256");
    lb_text_copy(c->chap_target_name, sizeof c->chap_target_name, PAIR_TEXT("target"));
    set_secret(c->chap_target_secret, &c->chap_target_secret_len, "another-secret-9");
    lb_text_copy(pair.nodes[0].own.name, LB_CHAP_NAME_MAX, PAIR_TEXT("target"));
    set_secret(pair.nodes[0].own.secret, &pair.nodes[0].own.secret_len, "another-secret-9");
    c->require_mutual = true;
}

static void fails_with(enum lb_code code) {
    CHECK(!pair_up());
    const struct lb_error *error = lb_is_ok(lb_initiator_error(&pair.session))
                                       ? lb_disk_error(&pair.disk)
                                       : lb_initiator_error(&pair.session);
    if (!CHECK_STR(lb_code_word(error->code), lb_code_word(code)))
        pair_show();
}

static struct lb_scsi_unit *the_lun(void) {
    return &pair.units[0];
}

/* ---- login ---- */

static void a_disk_comes_up_and_is_read(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    const struct lb_disk_info *info = lb_disk_info(&pair.disk);
    CHECK_EQ(info->blocks, PAIR_DISK / 512);
    CHECK_EQ(info->block_bytes, 512);
    CHECK_STR(info->vendor, "LUNBOOT");
    CHECK_EQ(lb_strlen(info->serial), 16);
    CHECK_HAS(info->id, "naa.3");
    CHECK_EQ(info->lun_count, 1);
    CHECK(!info->read_only);
    pair_check_read(0, 1, 1);
    pair_check_read(PAIR_DISK / 512 - 8, 8, 1);
    pair_check_read(0, 2048, 2);
}

static void chap_works_with_each_algorithm(void) {
    static const struct {
        const char *name;
        enum lb_hash_alg alg;
    } algs[] = {{"md5", LB_HASH_MD5},
                {"sha1", LB_HASH_SHA1},
                {"sha256", LB_HASH_SHA256},
                {"sha3-256", LB_HASH_SHA3_256}};
    for (size_t i = 0; i < LB_COUNT(algs); i++) {
        configure_chap(algs[i].name);
        if (!pair_must_be_up())
            return;
        CHECK(lb_initiator_agreed(&pair.session)->chap &&
              !lb_initiator_agreed(&pair.session)->mutual);
        CHECK_EQ(lb_initiator_agreed(&pair.session)->chap_alg, algs[i].alg);
    }
}

static void mutual_chap_proves_the_target(void) {
    configure_mutual();
    if (pair_must_be_up())
        CHECK(lb_initiator_agreed(&pair.session)->mutual);
}

static void a_wrong_secret_does_not_get_in(void) {
    configure_chap("sha256");
    pair.config.chap_secret[0] ^= 1;
    fails_with(LB_E_AUTH_FAILED);
    configure_chap("sha256");
    lb_text_copy(pair.config.chap_name, LB_CHAP_NAME_MAX, PAIR_TEXT("you"));
    fails_with(LB_E_AUTH_FAILED);
}

static void a_target_with_a_wrong_secret_is_an_impostor(void) {
    configure_mutual();
    pair.nodes[0].own.secret[3] ^= 1;
    fails_with(LB_E_AUTH_TARGET);
    configure_mutual();
    lb_text_copy(pair.nodes[0].own.name, LB_CHAP_NAME_MAX, PAIR_TEXT("impostor"));
    fails_with(LB_E_AUTH_TARGET);
}

static void nobody_gets_in_without_chap_where_it_is_wanted(void) {
    configure_chap("sha256");
    pair.config.chap_name[0] = 0;
    fails_with(LB_E_AUTH_NEEDED);
    CHECK(!lb_target_is_full_feature(&pair.conn));
}

static void digests_are_agreed_on_and_used(void) {
    for (unsigned i = 0; i < 8; i++) {
        pair_configure();
        pair.config.header_digest = i & 1 ? LB_DIGEST_PREFER : LB_DIGEST_NONE;
        pair.config.data_digest = i & 2 ? LB_DIGEST_CRC32C : LB_DIGEST_PREFER;
        pair.nodes[0].header_digest = LB_DIGEST_PREFER;
        pair.nodes[0].data_digest = LB_DIGEST_PREFER;
        pair.split = i & 4 ? 777 : 0;
        if (!pair_must_be_up())
            return;
        CHECK_EQ(lb_initiator_agreed(&pair.session)->header_digest, (i & 1) != 0);
        CHECK(lb_initiator_agreed(&pair.session)->data_digest);
        pair_check_read(0, 256, 8);
        pair_check_write(3, 257, 5);
    }
}

static void a_digest_that_one_end_needs_and_the_other_has_not_ends_it(void) {
    pair_configure();
    pair.config.header_digest = LB_DIGEST_CRC32C;
    CHECK(!pair_up());
    pair_configure();
    pair.nodes[0].data_digest = LB_DIGEST_CRC32C;
    CHECK(!pair_up());
    CHECK(!lb_target_is_full_feature(&pair.conn));
}

static void a_refused_login_says_why(void) {
    static const char *const others[] = {"iqn.2026-11.test:somebody"};
    static const struct {
        uint16_t status;
        enum lb_code code;
    } statuses[] = {{LB_LOGIN_REMOVED, LB_E_TARGET_REMOVED},
                    {LB_LOGIN_UNAVAILABLE, LB_E_TARGET_BUSY},
                    {LB_LOGIN_NO_RESOURCES, LB_E_TARGET_BUSY},
                    {LB_LOGIN_VERSION, LB_E_LOGIN_VERSION}};
    pair_configure();
    lb_text_copy(pair.config.target, LB_NAME_MAX, PAIR_TEXT("iqn.2026-11.test:nothing"));
    fails_with(LB_E_TARGET_NOT_FOUND);
    pair_configure();
    pair.nodes[0].initiators = others;
    pair.nodes[0].initiator_count = 1;
    fails_with(LB_E_NOT_AUTHORISED);
    for (size_t i = 0; i < LB_COUNT(statuses); i++) {
        pair_configure();
        pair.nodes[0].login_status = statuses[i].status;
        fails_with(statuses[i].code);
    }
}

static void a_redirect_leads_to_another_portal(void) {
    bool permanent = false;
    pair_configure();
    pair.nodes[0].login_status = LB_LOGIN_MOVED_PERMANENTLY;
    lb_text_copy(pair.nodes[0].redirect, LB_HOST_MAX, PAIR_TEXT("[2001:db8::7]:3261"));
    pair_begin();
    for (int i = 0; i < 1000 && pair.connects < 2; i++)
        pair_turn();
    CHECK_EQ(pair.connects, 2);
    CHECK_STR(lb_endpoint_text(pair.connect_to).s, "[2001:db8::7]:3261");
    pair.nodes[0].login_status = LB_LOGIN_OK;
    for (int i = 0; i < 1000 && lb_initiator_state(&pair.session) != LB_INITIATOR_FULL_FEATURE; i++)
        pair_turn();
    CHECK_EQ(lb_initiator_state(&pair.session), LB_INITIATOR_FULL_FEATURE);
    CHECK(lb_initiator_was_redirected(&pair.session, &permanent) && permanent);
}

static void redirects_without_end_are_a_loop(void) {
    pair_configure();
    pair.nodes[0].login_status = LB_LOGIN_MOVED_TEMPORARILY;
    lb_text_copy(pair.nodes[0].redirect, LB_HOST_MAX, PAIR_TEXT("192.0.2.1:3260"));
    fails_with(LB_E_REDIRECT_LOOP);
}

static void a_discovery_session_lists_the_targets(void) {
    static struct lb_initiator_found found[4];
    struct lb_initiator_targets targets = {.found = found, .cap = LB_COUNT(found)};
    size_t dropped = 0;
    int32_t count = -1;
    pair_configure();
    pair.config.target[0] = 0;
    pair.config.max_recv_data = 512; /* the answer comes in parts */
    pair.nodes[1].tpgt = 5;
    pair_begin();
    for (int i = 0; i < 1000 && lb_initiator_state(&pair.session) != LB_INITIATOR_FULL_FEATURE; i++)
        pair_turn();
    if (!CHECK_EQ(lb_initiator_state(&pair.session), LB_INITIATOR_FULL_FEATURE)) {
        pair_show();
        return;
    }
    lb_initiator_send_targets(&pair.session, pair.now, NULL, &targets);
    for (int i = 0; i < 1000 && count < 0; i++) {
        pair_turn();
        count = lb_initiator_targets_count(&targets, &dropped);
    }
    CHECK_EQ(count, 2);
    CHECK_STR(found[0].target, PAIR_TARGET);
    CHECK_STR(found[1].target, "iqn.2026-11.test:other");
    CHECK_STR(lb_endpoint_text(found[1].portal).s, "192.0.2.1:3260");
    CHECK_EQ(found[1].tpgt, 5);
}

/* ---- data ---- */

static void what_is_written_is_on_the_disk(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 1, 1);
    pair_check_write(100, 8, 32);
    pair_check_write(1000, 2048, 1);
    pair_check_write(8, 5000, 1);
}

static void a_flush_reaches_the_disk_after_the_writes(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_FLUSH}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 8, 4);
    CHECK_EQ(pair_run(ops, 1), 1);
    CHECK(pair.flushes >= 1);
}

static void a_write_through_the_cache_says_so(void) {
    struct lb_disk_op ops[1] = {
        {.kind = LB_DISK_WRITE, .blocks = 8, .buffer = pair_buffer[0], .force_unit_access = true}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    CHECK_EQ(pair_run(ops, 1), 1);
    CHECK_EQ(pair.fua_writes, 1);
}

/* InitialR2T, ImmediateData, bursts, digests, buffers, order of answers, splits: all together. */
static void every_way_of_moving_data_moves_it(void) {
    static const size_t splits[] = {0, 1000, 47};
    for (unsigned i = 0; i < 192; i++) {
        pair_configure();
        pair.nodes[0].insist_r2t = i & 1;
        pair.nodes[0].refuse_immediate = i & 2;
        pair.nodes[0].max_burst = i & 4 ? 4096 : 0;
        pair.nodes[0].first_burst = i & 4 ? 1536 : 0;
        pair.lazy = i & 8;
        if (i & 16)
            pair_configure_copies();
        pair.nodes[0].header_digest = pair.nodes[0].data_digest = LB_DIGEST_PREFER;
        pair.config.header_digest = pair.config.data_digest =
            i & 32 ? LB_DIGEST_CRC32C : LB_DIGEST_NONE;
        pair.split = splits[i / 64];
        pair.nodes[0].max_recv_data = i & 64 ? 1024 : 0;
        pair.config.max_recv_data = i & 64 ? 2048 : 0;
        bool is_good = pair_must_be_up();
        if (is_good) {
            unsigned blocks = pair.split == 47 ? 20 : 300;
            pair_check_write(1, blocks, 3);
            pair_check_read(0, blocks, 4);
            pair_check_write(77, 1, 40);
            for (int turns = 0; turns < 1000 && pair.buffers_out > 0; turns++)
                pair_turn();
            is_good = CHECK_EQ(pair.buffers_out, 0) && !pair_has_failed();
        }
        if (!is_good) {
            tap_note("variant %u", i);
            return;
        }
    }
}

/* Pieces of a MiB are asked for, and 64 KiB are given: the rest follows, and nothing is lost. */
static void a_host_with_little_memory_gives_less_than_was_asked_for(void) {
    for (unsigned i = 0; i < 4; i++) {
        pair_configure();
        pair_configure_copies();
        pair.server.io_max = 0;
        pair.is_poor = true;
        pair.lazy = i & 1;
        pair.nodes[0].insist_r2t = i & 2;
        if (!pair_must_be_up())
            return;
        pair_check_write(3, 2500, 2);
        pair_check_read(1, 2500, 3);
        pair_check_write(9, 129, 2);
        for (int turns = 0; turns < 1000 && pair.buffers_out > 0; turns++)
            pair_turn();
        CHECK_EQ(pair.buffers_out, 0);
    }
}

static void blocks_have_many_sizes(void) {
    static const uint32_t sizes[] = {512, 1024, 4096, 65536};
    for (size_t i = 0; i < LB_COUNT(sizes); i++) {
        pair_configure();
        the_lun()->block_bytes = sizes[i];
        the_lun()->blocks = PAIR_DISK / sizes[i];
        if (!pair_must_be_up())
            return;
        CHECK_EQ(lb_disk_info(&pair.disk)->block_bytes, sizes[i]);
        pair_check_read(0, PAIR_DISK / sizes[i] / 4, 4);
        pair_check_write(1, 2, 10);
    }
}

static void a_disk_of_three_terabytes_is_read_at_its_end(void) {
    uint64_t bytes = UINT64_C(3) << 40;
    pair_configure();
    the_lun()->blocks = bytes / 512;
    pair.first_byte = bytes - PAIR_DISK;
    if (!pair_must_be_up())
        return;
    CHECK_EQ(lb_disk_info(&pair.disk)->blocks, bytes / 512);
    pair_check_read((bytes - PAIR_DISK) / 512, 64, 16);
    pair_check_read(bytes / 512 - 1, 1, 1);
    pair_check_write(bytes / 512 - 100, 100, 1);
}

static void an_old_target_knows_the_short_capacity_alone(void) {
    pair_configure();
    the_lun()->no_capacity_16 = true;
    if (pair_must_be_up())
        CHECK_EQ(lb_disk_info(&pair.disk)->blocks, PAIR_DISK / 512);
}

static void a_limit_on_transfers_is_kept(void) {
    pair_configure();
    the_lun()->max_transfer_blocks = 17; /* longer commands are refused by the target */
    if (!pair_must_be_up())
        return;
    CHECK_EQ(lb_disk_info(&pair.disk)->max_transfer_blocks, 17);
    pair_check_read(0, 1000, 4);
    pair_check_write(5, 1000, 4);
}

/* ---- what a disk can have ---- */

static void a_missing_lun_is_told_with_those_that_are_there(void) {
    pair_configure();
    pair.nodes[0].luns[3] = pair.nodes[0].luns[1];
    pair.nodes[0].luns[1] = NULL;
    fails_with(LB_E_LUN_MISSING);
    CHECK_HAS(lb_disk_error(&pair.disk)->facts, "3");
}

static void what_is_not_a_disk_is_refused(void) {
    pair_configure();
    the_lun()->type = 5;
    fails_with(LB_E_LUN_NOT_DISK);
    pair_configure();
    the_lun()->state = LB_SCSI_UNIT_NO_MEDIUM;
    fails_with(LB_E_NO_MEDIUM);
    pair_configure();
    the_lun()->block_bytes = 520;
    fails_with(LB_E_BLOCK_SIZE);
}

static void a_stopped_disk_is_started(void) {
    pair_configure();
    the_lun()->state = LB_SCSI_UNIT_STOPPED;
    if (pair_must_be_up())
        CHECK_EQ(the_lun()->state, LB_SCSI_UNIT_READY);
}

static void a_disk_that_never_becomes_ready_is_given_up(void) {
    pair_configure();
    the_lun()->state = LB_SCSI_UNIT_BECOMING_READY;
    fails_with(LB_E_NOT_READY);
    CHECK(pair.now > 9 * LB_US_SEC); /* ready_ms is 5000, and we began at 5 s */
}

static void a_read_only_disk_is_read_and_not_written(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_WRITE, .blocks = 8, .buffer = pair_buffer[0]}};
    pair_configure();
    the_lun()->read_only = true;
    if (!pair_must_be_up())
        return;
    CHECK(lb_disk_info(&pair.disk)->read_only);
    pair_check_read(0, 8, 4);
    CHECK_EQ(pair_run(ops, 1), 0);
    CHECK_EQ(ops[0].error.code, LB_E_WRITE_PROTECTED);
}

static void unit_attentions_are_passed_over(void) {
    pair_configure();
    pair.nodes[0].attention_at_start = true;
    if (!pair_must_be_up())
        return;
    lb_target_attention(&pair.server, &pair.nodes[0], 1, 0x29, 0x00);
    pair_check_read(0, 8, 16);
    lb_target_attention(&pair.server, &pair.nodes[0], 1, 0x2a, 0x09);
    pair_check_read(0, 8, 16);
}

static void a_grown_disk_is_seen(void) {
    pair_configure();
    the_lun()->blocks = 1000;
    if (!pair_must_be_up())
        return;
    CHECK_EQ(lb_disk_info(&pair.disk)->blocks, 1000);
    the_lun()->blocks = PAIR_DISK / 512;
    lb_target_attention(&pair.server, &pair.nodes[0], 1, 0x2a, 0x09);
    pair_check_read(0, 8, 1);
    for (int i = 0; i < 1000 && lb_disk_info(&pair.disk)->blocks == 1000; i++)
        pair_turn();
    CHECK_EQ(lb_disk_info(&pair.disk)->blocks, PAIR_DISK / 512);
    pair_check_read(2000, 8, 1);
}

static void a_busy_disk_is_asked_again(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair.fault = (struct lb_target_answer){.status = LB_SCSI_BUSY};
    pair.faults = 20;
    pair_check_read(0, 8, 8);
    pair.fault.status = LB_SCSI_TASK_SET_FULL;
    pair.faults = 20;
    pair_check_write(0, 8, 8);
}

static void a_disk_that_stays_busy_is_given_up(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_READ, .blocks = 8, .buffer = pair_buffer[0]}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair.fault = (struct lb_target_answer){.status = LB_SCSI_BUSY};
    pair.faults = UINT32_MAX;
    CHECK_EQ(pair_run(ops, 1), 0);
    CHECK_EQ(ops[0].error.code, LB_E_DISK_BUSY);
    CHECK_HAS(ops[0].error.facts, "BUSY");
}

static void a_reserved_disk_is_told(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_READ, .blocks = 8, .buffer = pair_buffer[0]}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair.fault = (struct lb_target_answer){.status = LB_SCSI_RESERVATION_CONFLICT};
    pair.faults = 1;
    CHECK_EQ(pair_run(ops, 1), 0);
    CHECK_EQ(ops[0].error.code, LB_E_RESERVED);
}

static void a_medium_error_is_told(void) {
    struct lb_disk_op ops[2] = {{.kind = LB_DISK_READ, .blocks = 8, .buffer = pair_buffer[0]},
                                {.kind = LB_DISK_WRITE, .blocks = 8, .buffer = pair_buffer[1]}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair.fault = (struct lb_target_answer){
        .status = LB_SCSI_CHECK_CONDITION, .key = 3, .asc = 0x11, .ascq = 0};
    pair.faults = 4; /* it is tried again a few times */
    CHECK_EQ(pair_run(ops, 1), 0);
    CHECK_EQ(ops[0].error.code, LB_E_MEDIUM);
    CHECK_HAS(ops[0].error.facts, "unrecovered read error");
    pair.faults = 4;
    CHECK_EQ(pair_run(ops + 1, 1), 0);
    CHECK_EQ(ops[1].error.code, LB_E_MEDIUM);
}

static void a_disk_without_a_cache_is_flushed_by_doing_nothing(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_FLUSH}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 8, 1);
    pair.fault = (struct lb_target_answer){
        .status = LB_SCSI_CHECK_CONDITION, .key = 5, .asc = 0x20, .ascq = 0};
    pair.faults = 1;
    CHECK_EQ(pair_run(ops, 1), 1);
    pair.fault.asc = 0x24;
    pair.faults = 1;
    CHECK_EQ(pair_run(ops, 1), 0);
}

static void a_write_that_was_lost_afterwards_fails_the_flush(void) {
    struct lb_disk_op ops[1] = {{.kind = LB_DISK_FLUSH}};
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair_check_write(0, 8, 1);
    pair.fault = (struct lb_target_answer){
        .status = LB_SCSI_CHECK_CONDITION, .key = 3, .asc = 0x0c, .is_deferred = true};
    pair.faults = 1;
    pair_check_read(0, 8, 1); /* it is told at a read, which is not to blame */
    CHECK_EQ(pair_run(ops, 1), 0);
    CHECK_EQ(ops[0].error.code, LB_E_MEDIUM);
    CHECK_HAS(ops[0].error.facts, "earlier write");
    CHECK_EQ(pair_run(ops, 1), 1); /* it was told */
    pair.faults = 1;
    CHECK_EQ(pair_run(ops, 1), 0); /* told at the flush itself */
}

static void a_lun_that_went_away_is_waited_for(void) {
    static struct lb_disk_op op;
    pair_configure();
    if (!pair_must_be_up())
        return;
    pair.nodes[0].luns[1] = NULL;
    op = (struct lb_disk_op){.kind = LB_DISK_READ, .blocks = 8, .buffer = pair_buffer[0]};
    lb_disk_submit(&pair.disk, pair.now, &op);
    for (int i = 0; i < 20; i++)
        pair_turn();
    CHECK(lb_disk_completed(&pair.disk) == NULL);
    pair.nodes[0].luns[1] = the_lun();
    for (int i = 0; i < 1000 && lb_disk_completed(&pair.disk) == NULL; i++)
        pair_turn();
    CHECK(lb_is_ok(&op.error) && op.done == 8);
    pair.nodes[0].luns[1] = NULL;
    CHECK_EQ(pair_run(&op, 1), 0); /* but not for ever */
    CHECK_EQ(op.error.code, LB_E_LUN_MISSING);
}

/* ---- the session's life ---- */

/* Some requests are in flight when `act` happens; all of them are completed and right. */
static void survives(void (*act)(void)) {
    static struct lb_disk_op ops[32];
    unsigned done = 0;
    pair.lazy = true;
    if (!pair_must_be_up())
        return;
    memset(ops, 0, sizeof ops);
    for (unsigned i = 0; i < LB_COUNT(ops); i++) {
        ops[i] = (struct lb_disk_op){.kind = LB_DISK_READ,
                                     .lba = i * 64,
                                     .blocks = 64,
                                     .buffer = pair_buffer[0] + (size_t)i * 32768};
        lb_disk_submit(&pair.disk, pair.now, &ops[i]);
    }
    for (int i = 0; i < 8; i++)
        pair_turn();
    act();
    for (int i = 0; i < 100000 && done < LB_COUNT(ops) && !pair_has_failed(); i++) {
        struct lb_disk_op *op;
        while ((op = lb_disk_completed(&pair.disk)) != NULL)
            done += lb_is_ok(&op->error);
        pair_turn();
    }
    if (!CHECK_EQ(done, LB_COUNT(ops)))
        pair_show();
    CHECK(memcmp(pair_buffer[0], pair.memory, sizeof ops / sizeof ops[0] * 32768) == 0);
}

static void restart(void) {
    pair_close();
}

static void drop(void) {
    lb_target_drop(&pair.conn);
}

static void ask_logout(void) {
    lb_target_ask_logout(&pair.conn, pair.now, 3);
}

static void a_restart_of_the_target_is_a_pause(void) {
    pair_configure();
    survives(restart);
    CHECK_EQ(lb_initiator_logins(&pair.session), 2);
    pair_configure();
    pair_configure_copies();
    survives(drop);
    CHECK_EQ(lb_initiator_logins(&pair.session), 2);
}

static void a_request_to_log_out_is_a_pause(void) {
    pair_configure();
    survives(ask_logout);
    for (int i = 0; i < 1000 && lb_initiator_logins(&pair.session) < 2; i++)
        pair_turn();
    CHECK_EQ(lb_initiator_logins(&pair.session), 2);
    pair_check_read(0, 8, 8);
}

static void a_ping_is_answered(void) {
    pair_configure();
    pair.config.ping_ms = UINT32_MAX;
    pair.server.ping_ms = 1000;
    if (!pair_must_be_up())
        return;
    uint64_t start = pair.now;
    for (int i = 0; i < 10000 && pair.now < start + 60 * LB_US_SEC; i++)
        pair_turn();
    CHECK(lb_target_is_full_feature(&pair.conn));
    CHECK_EQ(lb_initiator_logins(&pair.session), 1);
}

static void an_initiator_that_fell_silent_is_dropped(void) {
    pair_configure();
    pair.server.ping_ms = 1000;
    if (!pair_must_be_up())
        return;
    pair.is_deaf = true;
    pair.config.ping_ms = UINT32_MAX;
    for (int i = 0; i < 1000 && pair.is_open; i++)
        pair_turn();
    CHECK_STR(lb_target_reason(&pair.conn), "no answer to a NOP-In");
}

static void a_logout_ends_the_session(void) {
    pair_configure();
    if (!pair_must_be_up())
        return;
    lb_initiator_logout(&pair.session, pair.now);
    for (int i = 0; i < 1000 && pair.last != LB_INITIATOR_OUT; i++)
        pair_turn();
    CHECK_EQ(pair.last, LB_INITIATOR_OUT);
    CHECK_STR(lb_target_reason(&pair.conn), "logged out");
}

int main(void) {
    TEST(a_disk_comes_up_and_is_read);
    TEST(chap_works_with_each_algorithm);
    TEST(mutual_chap_proves_the_target);
    TEST(a_wrong_secret_does_not_get_in);
    TEST(a_target_with_a_wrong_secret_is_an_impostor);
    TEST(nobody_gets_in_without_chap_where_it_is_wanted);
    TEST(digests_are_agreed_on_and_used);
    TEST(a_digest_that_one_end_needs_and_the_other_has_not_ends_it);
    TEST(a_refused_login_says_why);
    TEST(a_redirect_leads_to_another_portal);
    TEST(redirects_without_end_are_a_loop);
    TEST(a_discovery_session_lists_the_targets);
    TEST(what_is_written_is_on_the_disk);
    TEST(a_flush_reaches_the_disk_after_the_writes);
    TEST(a_write_through_the_cache_says_so);
    TEST(every_way_of_moving_data_moves_it);
    TEST(a_host_with_little_memory_gives_less_than_was_asked_for);
    TEST(blocks_have_many_sizes);
    TEST(a_disk_of_three_terabytes_is_read_at_its_end);
    TEST(an_old_target_knows_the_short_capacity_alone);
    TEST(a_limit_on_transfers_is_kept);
    TEST(a_missing_lun_is_told_with_those_that_are_there);
    TEST(what_is_not_a_disk_is_refused);
    TEST(a_stopped_disk_is_started);
    TEST(a_disk_that_never_becomes_ready_is_given_up);
    TEST(a_read_only_disk_is_read_and_not_written);
    TEST(unit_attentions_are_passed_over);
    TEST(a_grown_disk_is_seen);
    TEST(a_busy_disk_is_asked_again);
    TEST(a_disk_that_stays_busy_is_given_up);
    TEST(a_reserved_disk_is_told);
    TEST(a_medium_error_is_told);
    TEST(a_disk_without_a_cache_is_flushed_by_doing_nothing);
    TEST(a_write_that_was_lost_afterwards_fails_the_flush);
    TEST(a_lun_that_went_away_is_waited_for);
    TEST(a_restart_of_the_target_is_a_pause);
    TEST(a_request_to_log_out_is_a_pause);
    TEST(a_ping_is_answered);
    TEST(an_initiator_that_fell_silent_is_dropped);
    TEST(a_logout_ends_the_session);
    return tap_done();
}
