// Package web answers over HTTP at the address that the config names: with the metrics, whether the
// daemon is well and ready, and a page.
package web

import (
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// Answers are what is asked for. Each may be asked by several goroutines.
type Answers struct {
	Metrics http.Handler // at /metrics
	// Page answers at all other paths that a browser may ask for; nil: nothing does.
	Page http.Handler
	// Healthy is why the daemon is not well; nil: it is.
	Healthy func(context.Context) error
	// Ready is why not all services were looked at, with a config that is in force; nil: they were.
	Ready func(context.Context) error
}

const (
	// patience is how long the daemon may take to say how it is.
	patience = 5 * time.Second
	// mostHeader bounds the header of a request, in bytes.
	mostHeader = 16 << 10
	// mostConnections bounds how many are open at once: descriptors are for the services.
	mostConnections = 64
)

// handler leads requests to their answers. They are read by GET and HEAD, and change nothing.
func (a Answers) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.Metrics)
	mux.Handle("GET /-/healthy", said("healthy", a.Healthy))
	mux.Handle("GET /-/ready", said("ready", a.Ready))
	if a.Page != nil {
		mux.Handle("GET /", a.Page)
	}
	return mux
}

// said answers with a word, or with 503 and why it cannot be said.
func said(word string, ask func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		answer := word
		if err := ask(ctx); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			answer = "not " + word + ": " + err.Error()
		}
		_, _ = io.WriteString(w, answer+"\n")
	})
}

// A Server answers at one address after another.
type Server struct {
	handler http.Handler
	log     *slog.Logger
	next    chan string // one slot: the newest that Run has not taken yet

	at      string       // what open listens at; "": nothing does
	open    *http.Server // nil: there is none
	serving sync.WaitGroup
	failed  string // why the address could not be bound, as it was said last
}

// NewServer makes a server, which logs where it cannot listen; Run makes it work.
func NewServer(a Answers, log *slog.Logger) *Server {
	return &Server{handler: a.handler(), log: log, next: make(chan string, 1)}
}

// Set names the address to answer at; "" is none. It does not wait for Run. Only one goroutine may
// call it.
func (s *Server) Set(address string) {
	select {
	case <-s.next: // never taken; the new one stands for both
	default:
	}
	s.next <- address
}

// The times between two attempts to bind an address are doubled from the one to the other.
const (
	leastPause = time.Second
	mostPause  = time.Minute
)

// Run answers until ctx ends. Where an address cannot be bound it goes on at the one before, and
// tries again and again.
func (s *Server) Run(ctx context.Context) {
	defer s.serving.Wait()
	defer s.close()
	want, pause := "", leastPause
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case want = <-s.next:
			pause, s.failed = leastPause, ""
		case <-again.C:
		}
		if want == s.at {
			continue
		}
		if err := s.move(ctx, want); err != nil {
			s.say(want, err)
			again.Reset(pause)
			pause = min(2*pause, mostPause)
		}
	}
}

// move answers at another address, and no longer at the one before. That is given up first only
// where it has the same port: the kernel would not give the new one beside it.
func (s *Server) move(ctx context.Context, to string) error {
	if to == "" {
		s.close()
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", to)
	if errors.Is(err, syscall.EADDRINUSE) && port(to) == port(s.at) {
		s.close()
		listener, err = config.Listen(ctx, "tcp", to)
	}
	if err != nil {
		return err
	}
	s.close()
	s.at, s.open = to, s.serve(limit(listener, mostConnections))
	s.log.Info("answering HTTP", "at", to)
	return nil
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

func (s *Server) serve(listener net.Listener) *http.Server {
	server := &http.Server{
		Handler: s.handler, ErrorLog: log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: mostHeader,
	}
	s.serving.Go(func() { _ = server.Serve(listener) })
	return server
}

// close answers no longer. Who asks in this moment is still answered, for a second.
func (s *Server) close() {
	server := s.open
	if server == nil {
		return
	}
	s.at, s.open = "", nil
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// say says why nothing is answered at an address, once.
func (s *Server) say(address string, err error) {
	text := err.Error()
	if text == s.failed {
		return
	}
	s.failed = text
	hint := "metrics: {listen: …} names an address of this machine that is free"
	if errors.Is(err, syscall.EADDRINUSE) {
		hint = "who has it:  ss -ltnp 'sport = :" + port(address) + "'"
	}
	s.log.Error("HTTP is not answered there, will try again; the services are kept all the same", "at", address, "err", innermost(err), "hint", hint)
}

// innermost gives the error of the system: what is around it names the address once more.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
