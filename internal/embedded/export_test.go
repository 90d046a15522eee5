package embedded

import "context"

// PingNative lets the tests try passwords over the native protocol.
func PingNative(ctx context.Context, addr, user, password string) error {
	return pingNative(ctx, addr, user, password)
}
