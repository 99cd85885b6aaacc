import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The fold in Kafka Streams: exactly_once_v2, two threads, RocksDB stores with changelogs. The topic is keyed by
 * account, so nothing is repartitioned. Arguments: bootstrap servers, a user, a password, a folder, a topic, a number of records.
 */
public class StreamsFold {
  private static final List<String> STORES = List.of("seen", "days", "latest");
  private static final JsonFactory JSON = new JsonFactory();
  private static final AtomicLong FOLDED = new AtomicLong();
  private static final AtomicLong BEGAN = new AtomicLong();

  static final class Fold implements Processor<String, byte[], Void, Void> {
    private KeyValueStore<String, byte[]> seen;
    private KeyValueStore<String, byte[]> days;
    private KeyValueStore<String, byte[]> latest;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      seen = context.getStateStore("seen");
      days = context.getStateStore("days");
      latest = context.getStateStore("latest");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      BEGAN.compareAndSet(0, System.nanoTime());
      String id = null, account = null, person = null, answeredAt = null;
      int score = -1;
      try (JsonParser parser = JSON.createParser(record.value())) {
        parser.nextToken();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          switch (name) {
            case "response_id" -> id = parser.getText();
            case "account_id" -> account = parser.getText();
            case "stakeholder_id" -> person = parser.getText();
            case "answered_at" -> answeredAt = parser.getText();
            case "score" -> score = parser.getIntValue();
            default -> parser.skipChildren();
          }
        }
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
      if (seen.get(id) == null) {
        seen.put(id, new byte[] {1});
        count(account + answeredAt.substring(0, 10), score >= 9 ? 0 : score >= 7 ? 1 : 2);
        String voice = answeredAt + score;
        byte[] before = latest.get(account + person);
        if (before == null || new String(before, StandardCharsets.UTF_8).compareTo(voice) < 0) {
          latest.put(account + person, voice.getBytes(StandardCharsets.UTF_8));
        }
      }
      FOLDED.incrementAndGet();
    }

    private void count(String day, int category) {
      byte[] counts = days.get(day);
      byte[] next = counts == null ? new byte[3] : counts.clone();
      next[category]++;
      days.put(day, next);
    }
  }

  public static void main(String[] arguments) throws Exception {
    long records = Long.parseLong(arguments[5]);
    Properties settings = new Properties();
    settings.put("application.id", "streams-fold-" + System.nanoTime());
    settings.put("bootstrap.servers", arguments[0]);
    settings.put("security.protocol", "SASL_PLAINTEXT");
    settings.put("sasl.mechanism", "PLAIN");
    settings.put(
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s\" password=\"%s\";"
            .formatted(arguments[1], arguments[2]));
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("num.stream.threads", "2");
    settings.put("auto.offset.reset", "earliest");
    settings.put("replication.factor", "1");
    settings.put("state.dir", Files.createTempDirectory(Path.of(arguments[3]), "state").toString());
    StreamsBuilder builder = new StreamsBuilder();
    for (String store : STORES) {
      builder.addStateStore(
          Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(store), Serdes.String(), Serdes.ByteArray())
              .withCachingEnabled());
    }
    builder
        .stream(arguments[4], Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .process(Fold::new, STORES.toArray(String[]::new));
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.start();
      while (FOLDED.get() < records) {
        Thread.sleep(10);
      }
      double seconds = (System.nanoTime() - BEGAN.get()) / 1e9;
      System.out.printf(Locale.ROOT, "{\"rate\": %f}%n", FOLDED.get() / seconds);
      streams.close(Duration.ofSeconds(30));
    }
    System.exit(0);
  }
}
