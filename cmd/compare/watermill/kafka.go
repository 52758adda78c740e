package main

import (
	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"allocation/cmd/compare/contest"
)

// keyHeader is where an event has its key.
const keyHeader = "ce_partitionkey"

// protocol is the oldest that Kafka 4 speaks. Watermill's default is older.
var protocol = sarama.V2_1_0_0

func newKafkaSubscriber(settings contest.Settings, logger watermill.LoggerAdapter) (*kafka.Subscriber, error) {
	config := kafka.DefaultSaramaSubscriberConfig()
	config.Version = protocol
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	return kafka.NewSubscriber(kafka.SubscriberConfig{
		Brokers: settings.Brokers, Unmarshaler: kafka.DefaultMarshaler{}, OverwriteSaramaConfig: config,
		ConsumerGroup: settings.Commands + ".watermill",
	}, logger)
}

// newKafkaPublisher waits for all replicas, and places events by key, though by another hash than
// Java's clients.
func newKafkaPublisher(settings contest.Settings, logger watermill.LoggerAdapter) (*kafka.Publisher, error) {
	config := kafka.DefaultSaramaSyncPublisherConfig()
	config.Version = protocol
	config.Producer.RequiredAcks = sarama.WaitForAll
	byKey := func(_ string, msg *message.Message) (string, error) { return msg.Metadata.Get(keyHeader), nil }
	return kafka.NewPublisher(kafka.PublisherConfig{
		Brokers: settings.Brokers, Marshaler: kafka.NewWithPartitioningMarshaler(byKey), OverwriteSaramaConfig: config,
	}, logger)
}
