-- Which tokens of nodes were used, until they are dead (decision 0811): a restarted or a second api must not take one twice.
CREATE TABLE "node_nonce" (
    "node_id" TEXT NOT NULL,
    "nonce" TEXT NOT NULL,
    "dead_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "node_nonce_pkey" PRIMARY KEY ("node_id","nonce")
);

-- CreateIndex
CREATE INDEX "node_nonce_dead_at_idx" ON "node_nonce"("dead_at");
