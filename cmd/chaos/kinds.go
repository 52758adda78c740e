package main

// kinds are all kinds of faults.
var kinds = []kind{
	{name: "worker-kill", weight: 10, strike: (*hit).killWorker},
	{name: "worker-stop", weight: 5, strike: (*hit).stopWorker},
	{name: "worker-freeze", weight: 8, strike: (*hit).freezeWorker},
	{name: "worker-add", weight: 3, strike: (*hit).addWorker},
	{name: "worker-remove", weight: 3, strike: (*hit).removeWorker},

	{name: "broker-kill", weight: 6, needs: "brokers", strike: (*hit).killBroker},
	{name: "brokers-kill", weight: 1, needs: "brokers", strike: (*hit).killTwoBrokers},
	{name: "leaderless-claim", weight: 4, needs: "brokers", strike: (*hit).claimWithoutLeader},
	{name: "broker-unreachable", weight: 4, needs: "own-ways", strike: (*hit).hideBroker},
	{name: "transaction-hung", weight: 4, needs: "hung", strike: (*hit).hangTransaction},
	{name: "batch-packed", weight: 3, strike: (*hit).sendPacked},
	{name: "partitions-add", weight: 1, needs: "partitions", strike: (*hit).addPartitions},
	{name: "kafka-latency", weight: 4, needs: "kafka-ways", strike: (*hit).delayKafka},
	{name: "kafka-cut", weight: 4, needs: "kafka-ways", strike: (*hit).cutKafka},
	{name: "kafka-blackhole", weight: 4, needs: "kafka-ways", strike: (*hit).holdKafka},

	{name: "postgres-immediate", weight: 4, needs: "postgres", strike: (*hit).stopPostgres},
	{name: "postgres-kill", weight: 4, needs: "postgres", strike: (*hit).killPostgres},
	{name: "postgres-promote", weight: 4, needs: "postgres", strike: (*hit).promote},
	{name: "postgres-restore", weight: 2, needs: "postgres", strike: (*hit).restoreInPlace},
	{name: "disk-full", weight: 3, needs: "postgres", strike: (*hit).fillDisk},
	{name: "postgres-terminate", weight: 5, needs: "terminate", strike: (*hit).terminate},
	{name: "product-lock", weight: 5, needs: "lock", strike: (*hit).lockProducts},
	{name: "long-transaction", weight: 2, needs: "transaction", strike: (*hit).longTransaction},
	{name: "postgres-latency", weight: 4, needs: "postgres-ways", strike: (*hit).delayPostgres},
	{name: "postgres-cut", weight: 4, needs: "postgres-ways", strike: (*hit).cutPostgres},
	{name: "postgres-blackhole", weight: 4, needs: "postgres-ways", strike: (*hit).holdPostgres},
	{name: "commit-cut", weight: 8, needs: "postgres-ways", strike: (*hit).cutCommits},
}
