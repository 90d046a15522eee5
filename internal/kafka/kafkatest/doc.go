// Package kafkatest gives tests a Kafka broker that is a process of its own, to
// be stopped, frozen, killed and started again: Apache Kafka where
// APACHE_KAFKA_LIBS names the folder of its jars (`make test-kafka` fills one),
// else the broker that reckon embeds.
//
// A package whose tests only need an address says once
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Run(m)) }
//
// and finds one under KAFKA_UNDER_TEST when Apache Kafka is what is tested. A
// package that calls [Start] hands over to [Child] first in its TestMain.
package kafkatest
