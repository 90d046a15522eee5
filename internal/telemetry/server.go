package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// stopWithin bounds how long a scrape may hold up the end of the process.
const stopWithin = 2 * time.Second

// Server answers /metrics, /healthz and /readyz.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen takes the address (host:port, port 0 for a free one). The server
// answers nothing until Serve is called.
func Listen(ctx context.Context, address string, reg *prometheus.Registry, health *Health, log *slog.Logger) (*Server, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on %s: %w", address, err)
	}
	errorLog := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	return &Server{
		listener: listener,
		http: &http.Server{
			Handler: routes(reg, health, promhttp.HandlerOpts{
				// A gauge that could not be computed must not hide the others.
				ErrorHandling: promhttp.ContinueOnError, ErrorLog: errorLog, Registry: reg,
			}),
			ErrorLog:          errorLog,
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    16 << 10,
		},
	}, nil
}

func routes(reg *prometheus.Registry, health *Health, options promhttp.HandlerOpts) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, options))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "ok\n") // whoever asked is gone if this fails
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		status := health.Status()
		w.Header().Set("Content-Type", "application/json")
		if !status.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(status) // whoever asked is gone if this fails
	})
	return mux
}

// Address is host:port as it was bound.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve answers until ctx ends, then for at most 2 s more what was asked
// before; that end is no error.
func (s *Server) Serve(ctx context.Context) error {
	stopped := make(chan error, 1)
	go func() { stopped <- s.http.Serve(s.listener) }()
	select {
	case err := <-stopped:
		return fmt.Errorf("serve metrics on %s: %w", s.Address(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if err := s.http.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
		if err != nil {
			return fmt.Errorf("close metrics on %s: %w", s.Address(), err)
		}
	} else if err != nil {
		return fmt.Errorf("stop metrics on %s: %w", s.Address(), err)
	}
	if err := <-stopped; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics on %s: %w", s.Address(), err)
	}
	return nil
}
