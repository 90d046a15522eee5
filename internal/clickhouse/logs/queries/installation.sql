-- Empty where there is none.
SELECT argMin(id, (drawn_at, id)) FROM installation
