"""ActiveCampaign: API v3 as its reference and recordings of real accounts describe it."""
