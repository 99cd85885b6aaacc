// The Go peer of the collector's benchmark: Benthos, the engine of Redpanda Connect, with an output on franz-go, its
// Kafka client, under the name and with the settings that rpconnect.yaml uses. Redpanda Connect itself is published
// under terms of its own; both programs run that file.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

type output struct {
	options []kgo.Opt
	topic   string
	key     *service.InterpolatedString
	client  *kgo.Client
}

func (o *output) Connect(context.Context) (err error) {
	if o.client == nil {
		o.client, err = kgo.NewClient(o.options...)
	}
	return err
}

// WriteBatch answers after all in-sync replicas have all of the batch.
func (o *output) WriteBatch(ctx context.Context, batch service.MessageBatch) error {
	records := make([]*kgo.Record, 0, len(batch))
	keys := batch.InterpolationExecutor(o.key)
	for index, message := range batch {
		key, err := keys.TryBytes(index)
		if err != nil {
			return err
		}
		value, err := message.AsBytes()
		if err != nil {
			return err
		}
		records = append(records, &kgo.Record{Topic: o.topic, Key: key, Value: value})
	}
	return o.client.ProduceSync(ctx, records...).FirstErr()
}

func (o *output) Close(context.Context) error {
	if o.client != nil {
		o.client.Close()
	}
	return nil
}

func open(conf *service.ParsedConfig, _ *service.Resources) (service.BatchOutput, service.BatchPolicy, int, error) {
	var policy service.BatchPolicy
	servers, err := conf.FieldStringList("seed_brokers")
	if err != nil {
		return nil, policy, 0, err
	}
	topic, err := conf.FieldString("topic")
	if err != nil {
		return nil, policy, 0, err
	}
	key, err := conf.FieldInterpolatedString("key")
	if err != nil {
		return nil, policy, 0, err
	}
	inFlight, err := conf.FieldMaxInFlight()
	if err != nil {
		return nil, policy, 0, err
	}
	options := []kgo.Opt{ // idempotent and acks=all are franz-go's own defaults
		kgo.SeedBrokers(servers...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), // murmur2
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(0),
	}
	return &output{options: options, topic: topic, key: key}, policy, inFlight, nil
}

func main() {
	spec := service.NewConfigSpec().Fields(
		service.NewStringListField("seed_brokers"),
		service.NewStringField("topic"),
		service.NewInterpolatedStringField("key"),
		service.NewOutputMaxInFlightField(),
		service.NewStringEnumField("partitioner", "murmur2_hash"),
		service.NewStringEnumField("compression", "none"),
		service.NewBoolField("idempotent_write"),
	)
	if err := service.RegisterBatchOutput("kafka_franz", spec, open); err != nil {
		panic(err)
	}
	service.RunCLI(context.Background())
}
