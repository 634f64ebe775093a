import { describe, expect, test } from 'vitest';
import { latestDue, localDate, nextDue, startOfDay } from '../../src/dca/local-time.ts';

const at = (text: string) => `${text}.000000Z`;

describe('localDate', () => {
  test.each([
    ['2026-11-20T05:59:59.999999Z', 'America/Guatemala', '2026-11-19'],
    ['2026-11-20T06:00:00.000000Z', 'America/Guatemala', '2026-11-20'],
    ['2026-11-20T18:29:59.999999Z', 'Asia/Kolkata', '2026-11-20'],
    ['2026-11-20T18:30:00.000000Z', 'Asia/Kolkata', '2026-11-21'],
    ['2026-11-20T12:00:00.000000Z', 'UTC', '2026-11-20'],
  ])('%s in %s is %s', (instant, zone, date) => {
    expect(localDate(instant, zone)).toBe(date);
  });

  test('an unknown zone is refused', () => {
    expect(() => localDate(at('2026-11-20T12:00:00'), 'America/Atlantis')).toThrow(RangeError);
  });
});

describe('startOfDay', () => {
  test('is midnight', () => {
    expect(startOfDay('2026-11-20', 'America/Guatemala')).toBe(at('2026-11-20T06:00:00'));
  });

  test('is one o’clock where the clocks skip midnight', () => {
    expect(startOfDay('2018-11-04', 'America/Sao_Paulo')).toBe(at('2018-11-04T03:00:00'));
  });

  test('is the first of two midnights', () => {
    expect(startOfDay('2026-11-01', 'America/Havana')).toBe(at('2026-11-01T04:00:00'));
  });

  test('refuses what is no date', () => {
    expect(() => startOfDay('2026-02-30', 'UTC')).toThrow(RangeError);
  });
});

describe('nextDue', () => {
  test('is the next scheduled moment, never this one', () => {
    const due = (now: string) => nextDue(at(now), ['18:00', '06:00'], 'America/Guatemala');
    expect(due('2026-11-20T11:59:59')).toBe(at('2026-11-20T12:00:00'));
    expect(due('2026-11-20T12:00:00')).toBe(at('2026-11-21T00:00:00'));
    expect(due('2026-12-31T23:00:00')).toBe(at('2027-01-01T00:00:00'));
    expect(nextDue(at('2026-12-31T13:00:00'), ['12:00'], 'UTC')).toBe(at('2027-01-01T12:00:00'));
    expect(nextDue(at('2026-11-20T12:00:00'), [], 'UTC')).toBeNull();
  });

  test('a time that the clocks skip comes as the gap ends, one that they show twice comes once', () => {
    const newYork = (now: string, time: string) => nextDue(at(now), [time], 'America/New_York');
    expect(newYork('2026-03-08T06:00:00', '02:30')).toBe(at('2026-03-08T07:00:00'));
    expect(newYork('2026-11-01T05:31:00', '01:30')).toBe(at('2026-11-02T06:30:00'));
  });
});

describe('latestDue', () => {
  test('is the newest scheduled moment up to now', () => {
    const times = ['18:00', '06:00', '12:00'];
    const due = (now: string) => latestDue(at(now), times, 'America/Guatemala');
    expect(due('2026-11-20T18:00:00')).toBe(at('2026-11-20T18:00:00'));
    expect(latestDue('2026-11-20T17:59:59.999999Z', times, 'America/Guatemala')).toBe(
      at('2026-11-20T12:00:00'),
    );
    expect(due('2026-11-21T05:00:00')).toBe(at('2026-11-21T00:00:00'));
    expect(due('2026-11-20T11:59:00')).toBe(at('2026-11-20T00:00:00'));
  });

  test('looks back into yesterday and over the turn of the year', () => {
    expect(latestDue(at('2027-01-01T06:00:00'), ['12:00'], 'UTC')).toBe(at('2026-12-31T12:00:00'));
  });

  test('without times nothing is ever due', () => {
    expect(latestDue(at('2026-11-20T12:00:00'), [], 'UTC')).toBeNull();
  });

  test('refuses what is no time of day', () => {
    expect(() => latestDue(at('2026-11-20T12:00:00'), ['25:00'], 'UTC')).toThrow(RangeError);
  });

  describe('on a day of 23 hours', () => {
    const newYork = (now: string, time: string) => latestDue(at(now), [time], 'America/New_York');

    test.each(['02:00', '02:30', '02:59'])('%s, which does not exist, happens when the gap ends', (time) => {
      expect(newYork('2026-03-08T06:59:59', time)?.slice(0, 10)).toBe('2026-03-07');
      expect(newYork('2026-03-08T07:00:00', time)).toBe(at('2026-03-08T07:00:00'));
      expect(newYork('2026-03-08T23:00:00', time)).toBe(at('2026-03-08T07:00:00'));
    });

    test('the minutes around the gap are themselves', () => {
      expect(newYork('2026-03-08T12:00:00', '01:59')).toBe(at('2026-03-08T06:59:00'));
      expect(newYork('2026-03-08T12:00:00', '03:00')).toBe(at('2026-03-08T07:00:00'));
    });

    test('midnight can be what does not exist', () => {
      expect(latestDue(at('2018-11-04T12:00:00'), ['00:00'], 'America/Sao_Paulo')).toBe(
        at('2018-11-04T03:00:00'),
      );
    });

    test('half an hour can be what is missing', () => {
      expect(latestDue(at('2026-10-04T00:00:00'), ['02:15'], 'Australia/Lord_Howe')).toBe(
        at('2026-10-03T15:30:00'),
      );
    });

    test('a whole day can be', () => {
      expect(latestDue(at('2011-12-30T10:30:00'), ['12:00'], 'Pacific/Apia')).toBe(at('2011-12-30T10:00:00'));
    });
  });

  describe('on a day of 25 hours', () => {
    test('what the clocks show twice happens once, the first time', () => {
      const newYork = (now: string) => latestDue(at(now), ['01:30'], 'America/New_York');
      expect(newYork('2026-11-01T05:29:59')).toBe(at('2026-10-31T05:30:00'));
      expect(newYork('2026-11-01T05:30:00')).toBe(at('2026-11-01T05:30:00'));
      expect(newYork('2026-11-01T06:30:00')).toBe(at('2026-11-01T05:30:00'));
      expect(newYork('2026-11-02T06:29:59')).toBe(at('2026-11-01T05:30:00'));
    });

    test('also where the second time is again before midnight', () => {
      // Clocks went from midnight back to 23:00 of the 17th.
      expect(latestDue(at('2018-02-18T02:30:00'), ['23:45'], 'America/Sao_Paulo')).toBe(
        at('2018-02-18T01:45:00'),
      );
    });
  });
});
