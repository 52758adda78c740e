import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends commands to the allocation service: two batches, two orders, and a delivery that was smaller than announced. */
public final class Producer {
    /** A command that is sent again keeps its id, however often and by whomever it is sent: it names the fact, not the sending. */
    record Command(String kind, String id, String sku, String data) {
        /** The record is keyed by the SKU, so that the commands of a product keep their order. */
        ProducerRecord<String, String> message() {
            var message = new ProducerRecord<>("warehouse.commands", sku, data);
            Map.of("content-type", "application/json",
                    "ce_specversion", "1.0",
                    "ce_type", "allocation.v1." + kind,
                    "ce_source", "/examples/java",
                    "ce_id", id)
                .forEach((key, value) -> message.headers().add(key, value.getBytes(StandardCharsets.UTF_8)));
            return message;
        }
    }

    private static final List<Command> COMMANDS = List.of(
        new Command("CreateBatch", "delivery-b1", "CHAIR", "{\"ref\":\"b1\",\"sku\":\"CHAIR\",\"qty\":50}"),
        new Command("CreateBatch", "delivery-b2", "CHAIR", "{\"ref\":\"b2\",\"sku\":\"CHAIR\",\"qty\":50,\"eta\":\"2030-01-01\"}"),
        new Command("Allocate", "order-o1", "CHAIR", "{\"orderid\":\"o1\",\"sku\":\"CHAIR\",\"qty\":20}"),
        new Command("Allocate", "order-o2", "CHAIR", "{\"orderid\":\"o2\",\"sku\":\"CHAIR\",\"qty\":20}"),
        new Command("ChangeBatchQuantity", "count-b1-1", "CHAIR", "{\"batchref\":\"b1\",\"sku\":\"CHAIR\",\"qty\":25,\"revision\":1}"));

    public static void main(String[] args) throws Exception {
        // By default the client waits for all replicas and sends no record twice.
        Map<String, Object> settings =
            Map.of("bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:19092"));
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (var command : COMMANDS) {
                var sent = producer.send(command.message()).get();
                System.out.printf("sent %s %s to partition %d, offset %d%n", command.kind(), command.id(), sent.partition(), sent.offset());
            }
        }
    }
}
