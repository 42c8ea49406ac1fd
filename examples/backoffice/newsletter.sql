-- The recipients of the newsletter: contacts, leads and accounts with a standing consent to it,
-- one row per entity, without those whose address unsubscribed or bounced, wherever that was noted.
-- Accounts without an address stay in: the target names them. Runs as printed on SQLite,
-- PostgreSQL and MariaDB.
select per.email
,      per.given_name
,      per.family_name
,      per.org_country
,      con.purpose as consent
,      con.optin_id
,      'Newsletter' as description
,      con.channel as media_type
,      con.entity_type
,      con.entity_id as ctt_id
from   consents con
join   (
       select 'contact' as entity_type
       ,      cast(ctt.ctt_id as char(20)) as entity_id
       ,      ctt.email
       ,      ctt.given_name
       ,      ctt.family_name
       ,      ctt.org_country
       from   contacts ctt
       where  ctt.deleted_at is null
       union
       all
       select 'lead'
       ,      cast(led.lead_id as char(20))
       ,      led.email
       ,      led.given_name
       ,      led.family_name
       ,      led.country
       from   leads led
       where  led.deleted_at is null
       union
       all
       select 'account'
       ,      cast(act.act_id as char(20))
       ,      act.email
       ,      null
       ,      act.name
       ,      act.org_country
       from   organisations act
       ) per
on     per.entity_type = con.entity_type
and    per.entity_id = con.entity_id
left
outer
join   (
       -- Who withdrew this consent under any entity that has the address.
       select lower(adr.email) as email
       ,      max(wdn.withdrawn_at) as withdrawn_at
       from   consents wdn
       join   address_history adr
       on     adr.entity_type = wdn.entity_type
       and    adr.entity_id = wdn.entity_id
       and    adr.valid_until is null
       where  wdn.purpose = 'newsletter'
       and    wdn.withdrawn_at is not null
       group
       by     lower(adr.email)
       ) gone
on     gone.email = lower(per.email)
left
outer
join   (
       -- Addresses that mail came back from for good.
       select distinct lower(adr.email) as email
       from   address_history adr
       where  adr.bounced_at is not null
       ) bnc
on     bnc.email = lower(per.email)
left
outer
join   (
       -- Addresses that unsubscribed from this list or from all, whomever that was noted at.
       select lower(uns.recipient_id) as email
       ,      max(coalesce(uns.event_time, uns.first_seen_at)) as unsubscribed_at
       from   marketing_unsubscribes uns
       left
       outer
       join   marketing_lists lst
       on     lst.list_id = uns.list_id
       where  uns.scope is null
       or     uns.scope = 'client'
       or     lst.purpose = 'newsletter'
       or     (lst.purpose is null and uns.opt_in_id is null)
       group
       by     lower(uns.recipient_id)
       ) uns
on     uns.email = lower(per.email)
where  con.purpose = 'newsletter'
and    con.channel = 'email'
and    con.withdrawn_at is null
and    bnc.email is null
and    (gone.withdrawn_at is null or gone.withdrawn_at < con.granted_at)
and    (uns.unsubscribed_at is null or uns.unsubscribed_at < con.granted_at)
