package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/reckon-billing/reckon/internal/clickhouse/column"
)

// Installation is the id of this installation, which no other has: the one that was
// drawn first. Drawn is taken where there is none yet.
func (s *Store) Installation(ctx context.Context, drawn string, now time.Time) (string, error) {
	id, err := s.installation(ctx)
	if err != nil || id != "" {
		return id, err
	}
	at := now.UTC()
	row, err := column.Fields{{Name: "id", Value: &drawn}, {Name: "drawn_at", Value: &at}}.Input()
	if err != nil {
		return "", err
	}
	for _, token := range []string{"installation", ""} { // as in AddLog
		if err := s.db.Insert(ctx, token, column.Insert{Table: "installation", Blocks: []column.Input{row}}); err != nil {
			return "", fmt.Errorf("write down who this installation is: %w", err)
		}
		if id, err = s.installation(ctx); err != nil || id != "" {
			return id, err
		}
	}
	return "", errors.New("who this installation is was written down and is not there")
}

func (s *Store) installation(ctx context.Context) (string, error) {
	if err := s.catchUp(ctx); err != nil {
		return "", err
	}
	var id string
	if err := s.db.Row(ctx, "installation", []any{&id}); err != nil {
		return "", fmt.Errorf("read who this installation is: %w", err)
	}
	return id, nil
}
