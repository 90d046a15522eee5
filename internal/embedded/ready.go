package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// pingTimeout bounds one question to the engine.
const pingTimeout = 2 * time.Second

// pingBoth returns nil when a ClickHouse that knows our password answers on
// both addresses. A connection alone would not do: a stranger may hold the port.
func pingBoth(ctx context.Context, native, http, password string) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := pingHTTP(ctx, http, password); err != nil {
		return fmt.Errorf("ping http://%s: %w", http, err)
	}
	if err := pingNative(ctx, native, User, password); err != nil {
		return fmt.Errorf("ping native %s: %w", native, err)
	}
	return nil
}

func pingHTTP(ctx context.Context, addr, password string) error {
	nonce := rand.Text()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/",
		strings.NewReader("SELECT '"+nonce+"'"))
	if err != nil {
		return err
	}
	req.Header.Set("X-ClickHouse-User", User)
	req.Header.Set("X-ClickHouse-Key", password)
	// No proxy may stand between, and no idle connection may stay: it would
	// hold the engine when it is to stop.
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if string(body) != nonce+"\n" {
		return fmt.Errorf("not our engine: it answered %s %q", resp.Status, body)
	}
	return nil
}

// pingNative says hello and ping in ClickHouse's native protocol, of a version
// old enough to need no more than that.
func pingNative(ctx context.Context, addr, user, password string) (err error) {
	const version = int(proto.FeatureVersionPatch)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	var out proto.Buffer
	proto.ClientHello{
		Name: "reckon ping", Major: 1, ProtocolVersion: version, User: user, Password: password,
	}.Encode(&out)
	if _, err := conn.Write(out.Buf); err != nil {
		return err
	}
	in := proto.NewReader(conn)
	if err := expect(in, proto.ServerCodeHello); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	var hello proto.ServerHello
	if err := hello.DecodeAware(in, version); err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	out.Reset()
	proto.ClientCodePing.Encode(&out)
	if _, err := conn.Write(out.Buf); err != nil {
		return err
	}
	return expect(in, proto.ServerCodePong)
}

func expect(in *proto.Reader, want proto.ServerCode) error {
	n, err := in.UVarInt()
	if err != nil {
		return err
	}
	if n != uint64(want) {
		return fmt.Errorf("server sent %d for %s", n, want)
	}
	return nil
}
