/* Offers over time, and the pauses between attempts. */
#include "tests/unit/unit.h"

#include <ctype.h>

#include "runner/host/backoff.h"
#include "runner/host/offer.h"

enum { MS = 1000 };

static void an_offer_is_taken_once(void **state)
{
    struct offers *offers = offers_new(2);
    char id[OFFER_ID_LENGTH + 1];

    (void)state;
    strcpy(id, offer_make(offers, 0)->id);
    assert_int_equal(offers_open(offers), 1);
    assert_int_equal(offer_take(offers, id, 1), OFFER_TAKEN);
    assert_int_equal(offers_open(offers), 0);
    assert_int_equal(offer_take(offers, id, 2), OFFER_EXPIRED);
    assert_int_equal(offer_take(offers, "nobody's", 2), OFFER_EXPIRED);
    assert_int_equal(offer_take(offers, NULL, 2), OFFER_EXPIRED);
    offers_free(&offers);
    assert_null(offers);
}

static void offers_expire_a_little_after_the_broker_thinks(void **state)
{
    struct offers *offers = offers_new(1);
    const struct offer *offer = offer_make(offers, 7);
    int64_t told = 7 + (int64_t)offer->valid_for_ms * MS, ours = offer->expires_us;

    (void)state;
    assert_in_range(offer->valid_for_ms, 5000, 5500);
    assert_int_equal(ours - told, 100 * MS);
    assert_int_equal(offers_next_expiry(offers), ours);
    offers_expire(offers, ours - 1);
    assert_int_equal(offers_open(offers), 1);
    offers_expire(offers, ours);
    assert_int_equal(offers_open(offers), 0);
    assert_int_equal(offers_next_expiry(offers), -1);
    offers_free(&offers);
}

static void all_offers_can_be_forgotten(void **state)
{
    struct offers *offers = offers_new(3);

    (void)state;
    for (int i = 0; i < 3; i++)
        offer_make(offers, i);
    offers_forget_all(offers);
    assert_int_equal(offers_open(offers), 0);
    offers_free(&offers);
    offers_free(&offers);
}

static void ids_are_random_letters_and_digits(void **state)
{
    char one[OFFER_ID_LENGTH + 1], two[OFFER_ID_LENGTH + 1];

    (void)state;
    offer_random_id(one, OFFER_ID_LENGTH);
    offer_random_id(two, OFFER_ID_LENGTH);
    assert_int_equal(strlen(one), OFFER_ID_LENGTH);
    assert_string_not_equal(one, two);
    for (const char *at = one; *at; at++)
        assert_true(isalnum((unsigned char)*at));
}

static void pauses_grow_and_start_small_again(void **state)
{
    static const int64_t middle[] = {200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(middle) / sizeof(*middle); i++) {
        int64_t pause = backoff_next(&backoff) / MS;

        assert_in_range(pause, middle[i] * 8 / 10, middle[i] * 12 / 10);
    }
    backoff_reset(&backoff);
    assert_in_range(backoff_next(&backoff), 160 * MS, 240 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_taken_once),
        cmocka_unit_test(offers_expire_a_little_after_the_broker_thinks),
        cmocka_unit_test(all_offers_can_be_forgotten),
        cmocka_unit_test(ids_are_random_letters_and_digits),
        cmocka_unit_test(pauses_grow_and_start_small_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
