package kafka

import (
	"os"
	"testing"

	"github.com/reckon-billing/reckon/internal/kafka/kafkatest"
)

func TestMain(m *testing.M) { os.Exit(kafkatest.Run(m)) }
