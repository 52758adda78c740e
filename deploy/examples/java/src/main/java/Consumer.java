import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Follows allocation.events and knows at any time which order is on which batch. It takes each event once, though some come twice. */
public final class Consumer {
    /** All that this consumer knows, and how it tells repeats. Both are saved together: a service with a database does it in one transaction. */
    public static final class State {
        public Map<String, Product> products = new HashMap<>();
        public Set<String> rejected = new HashSet<>(); // the ids of the rejections taken
    }

    public static final class Product {
        public long sequence; // of the last event taken
        public Map<String, String> lines = new HashMap<>(); // order and line → batch
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FILE = Path.of("state.json");

    public static void main(String[] args) throws Exception {
        State state = Files.exists(FILE) ? JSON.readValue(FILE.toFile(), State.class) : new State();
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", System.getenv().getOrDefault("KAFKA_BROKERS", "127.0.0.1:19092"),
            "group.id", "example-java",
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false); // the state first, then the offset
        var main = Thread.currentThread();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(consumer, main)));
            consumer.subscribe(List.of("allocation.events"));
            while (true) {
                var records = consumer.poll(Duration.ofSeconds(1));
                for (var record : records) {
                    take(state, record);
                }
                if (!records.isEmpty()) {
                    save(state);
                    consumer.commitSync();
                }
            }
        } catch (WakeupException stopped) {
            // SIGTERM or Ctrl-C
        }
    }

    /** Applies an event, unless it is a repeat. */
    static void take(State state, ConsumerRecord<String, String> record) throws IOException {
        String sku = header(record, "ce_partitionkey"), id = header(record, "ce_id"), number = header(record, "ce_sequence");
        JsonNode event = JSON.readTree(record.value());
        if (number == null) { // AllocationRejected: nothing changed, so nothing was counted
            if (state.rejected.add(id)) { // may be forgotten when repeats that late no longer matter
                System.out.printf("%s: order %s was rejected: %s%n", sku, event.path("orderid").asText(), event.path("reason").asText());
            }
            return;
        }
        Product product = state.products.computeIfAbsent(sku, unseen -> new Product());
        long sequence = Long.parseLong(number);
        if (sequence <= product.sequence) {
            return; // a repeat, perhaps a late one
        }
        if (product.sequence > 0 && sequence > product.sequence + 1) {
            throw new IllegalStateException(sku + ": events " + (product.sequence + 1) + " to " + (sequence - 1) + " are missing");
        }
        product.sequence = sequence;
        apply(product, sku, header(record, "ce_type"), event);
    }

    private static void apply(Product product, String sku, String kind, JsonNode event) {
        String order = event.path("orderid").asText(), batch = event.path("batchref").asText();
        String line = order + "\t" + event.path("lineid").asText(""); // no identifier has a control character
        switch (kind) {
            case "allocation.v1.Allocated" -> {
                product.lines.put(line, batch);
                System.out.printf("%s %d: order %s is on batch %s%n", sku, product.sequence, order, batch);
            }
            case "allocation.v1.Deallocated", "allocation.v1.OutOfStock", "allocation.v1.Dispatched" -> {
                product.lines.remove(line);
                System.out.printf("%s %d: order %s is on no batch%n", sku, product.sequence, order);
            }
            default -> { } // other types only count
        }
    }

    private static String header(ConsumerRecord<String, String> record, String key) {
        var header = record.headers().lastHeader(key);
        return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    /** Replaces the file as a whole: a crash leaves the old one or the new one. */
    private static void save(State state) throws IOException {
        Path fresh = Path.of(FILE + ".new");
        JSON.writeValue(fresh.toFile(), state);
        Files.move(fresh, FILE, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void stop(KafkaConsumer<?, ?> consumer, Thread main) {
        consumer.wakeup();
        try {
            main.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
