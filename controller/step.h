/*
 * What a question to the ledger carries along: whose it is, and in which round of his it was asked. An owner
 * that begins anew raises its round, and then gets no answer that was asked for before.
 */
#pragma once

struct step {
    void *owner;
    const unsigned *now; /* the owner's round, as it is when the answer comes */
    unsigned round;      /* and as it was when it was asked */
};

/* A step of the round that is under way; freed by step_end(), or with free() if the question could not be asked. */
struct step *step_new(void *owner, const unsigned *round);

/* The owner if the answer is still wanted, else NULL. Frees `data`: the step, or what begins with one. */
void *step_end(void *data);
