-- What only SQLite needs.

CREATE TRIGGER journal_outbox AFTER INSERT ON journal BEGIN
    INSERT INTO outbox (seq) VALUES (NEW.seq);
END;
